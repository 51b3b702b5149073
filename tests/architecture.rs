// SPDX-License-Identifier: LGPL-2.1-or-later

//! Dependencies between modules: they point downwards and form no cycles.
//!
//! `docs/architecture.md` has the drawing. Every path that leaves a module
//! counts as a use, in `use` declarations and elsewhere, except in unit tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// The path of a module in its crate: `["handle", "link", "send"]`.
type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// The layers, and the other layers that each one may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("capi", &["handle", "machine", "protocol", "uri"]),
    ("handle", &["machine", "transport", "protocol", "uri"]),
    ("machine", &["protocol"]),
    ("transport", &[]),
    ("uri", &[]),
    ("protocol", &[]),
];

/// The modules that every layer may use; each may use those before it.
const COMMON: &[&str] = &[
    "cancellation",
    "constants",
    "thread_block",
    "text",
    "error",
    "memory",
    "environment",
];

/// The layers of the handle above its parts, from the top: each may use the
/// later ones. Every other module of the handle is a part.
const HANDLE_LAYERS: &[&str] = &["calls", "waiting", "call", "drive", "connection"];

/// The modules of the test server in rows, from the top: each may use those of later rows.
const SERVER_ROWS: &[&[&str]] = &[
    &["main"],
    &["command_line", "server"],
    &["connection"],
    // Modules with I/O, and the conversation without it.
    &["listener", "no_tls", "process", "session", "tls"],
    // The stages of a conversation.
    &["handshake", "options", "transmission"],
    &["faulty_replies", "meta_context", "starttls"],
    &["commands", "option_replies"],
    &["extents", "reads"],
    &["answer"],
    // The data passed between stages.
    &["checks", "env", "transition"],
    &["delivery", "replies", "request"],
    &["agreed", "export", "settings"],
    &["pages"],
    &["output"],
    &["faults", "page", "wire"],
];

#[test]
fn layers_use_only_layers_below_them() {
    for (module, used) in graph("src") {
        let Some(layer) = module.first() else {
            continue;
        };
        let allowed = match LAYERS.iter().find(|(name, _)| name == layer) {
            Some((_, others)) => [others, COMMON].concat(),
            None => match COMMON.iter().position(|name| name == layer) {
                Some(common) => COMMON[..common].to_vec(),
                None => panic!("{layer} is in no layer"),
            },
        };
        for other in used.iter().filter(|other| other.first() != Some(layer)) {
            let other_layer = other.first().map_or("", String::as_str);
            assert!(
                allowed.contains(&other_layer),
                "{} uses {}",
                name(&module),
                name(other)
            );
        }
    }
}

#[test]
fn modules_have_no_dependency_cycles() {
    for root in ["src", "memserver/src"] {
        let graph = graph(root);
        for start in graph.keys() {
            let mut reached = BTreeSet::new();
            let mut next: Vec<_> = graph[start].iter().collect();
            while let Some(module) = next.pop() {
                assert!(module != start, "{root}: {} is in a cycle", name(start));
                if reached.insert(module) {
                    next.extend(&graph[module]);
                }
            }
        }
    }
}

#[test]
fn modules_of_the_test_server_use_only_those_below_them() {
    let row = |module: &Module| {
        let first = module.first().map_or("", String::as_str);
        let row = SERVER_ROWS.iter().position(|row| row.contains(&first));
        row.unwrap_or_else(|| panic!("{first} is in no row"))
    };
    for (module, used) in graph("memserver/src") {
        for other in &used {
            let down = match module.first() == other.first() {
                // A module may use its own submodules, and these each other.
                true => !module.starts_with(other),
                false => row(other) > row(&module),
            };
            assert!(down, "{} uses {}", name(&module), name(other));
        }
    }
}

#[test]
fn parts_of_the_handle_do_not_use_its_upper_layers() {
    let layer = |module: &Module| {
        let second = module.get(1).map_or("", String::as_str);
        let layer = HANDLE_LAYERS.iter().position(|name| *name == second);
        layer.unwrap_or(HANDLE_LAYERS.len())
    };
    let handle = "handle".to_owned();
    for (module, used) in graph("src") {
        // The layer's own module is above all of its submodules.
        if module.first() != Some(&handle) || module.len() == 1 {
            continue;
        }
        for other in used.iter().filter(|other| other.first() == Some(&handle)) {
            let down = other.len() > 1 && layer(other) >= layer(&module);
            assert!(down, "{} uses {}", name(&module), name(other));
        }
    }
}

#[test]
fn no_type_of_the_handle_has_more_than_forty_methods() {
    let mut methods: BTreeMap<String, usize> = BTreeMap::new();
    for (_, file) in modules("src") {
        if !file.starts_with(source().join("src/handle")) {
            continue;
        }
        for item in parse(&file).items {
            let syn::Item::Impl(block) = item else {
                continue;
            };
            if is_test(&block.attrs) || block.trait_.is_some() {
                continue;
            }
            let syn::Type::Path(of) = &*block.self_ty else {
                continue;
            };
            let name = of.path.segments.last().expect("a name").ident.to_string();
            let count = block.items.iter();
            let count = count.filter(|item| matches!(item, syn::ImplItem::Fn(_)));
            *methods.entry(name).or_default() += count.count();
        }
    }
    assert!(methods.contains_key("Connection"));
    for (name, count) in methods {
        assert!(count <= 40, "{name} has {count} methods");
    }
}

fn source() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn name(module: &Module) -> String {
    module.join("::")
}

/// Returns the dependency graph of a crate's modules.
fn graph(root: &str) -> Graph {
    let modules = modules(root);
    let uses = |(module, file): (&Module, &PathBuf)| {
        let mut seen = Uses {
            module,
            modules: &modules,
            used: BTreeSet::new(),
        };
        seen.visit_file(&parse(file));
        (module.clone(), seen.used)
    };
    modules.iter().map(uses).collect()
}

/// Returns all modules of a crate and their files.
fn modules(root: &str) -> BTreeMap<Module, PathBuf> {
    let root = source().join(root);
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.insert(module(&root, &path), path);
            }
        }
    }
    found.retain(|module, _| module.last().is_none_or(|name| name != "tests"));
    found
}

fn module(root: &Path, file: &Path) -> Module {
    let path = file.strip_prefix(root).expect("below the root");
    let names = path.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names
        .filter(|name| name != "mod" && name != "lib")
        .collect()
}

fn parse(file: &Path) -> syn::File {
    let text = fs::read_to_string(file).expect("a source");
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let test = attribute.parse_args::<syn::Path>();
        attribute.path().is_ident("cfg") && test.is_ok_and(|path| path.is_ident("test"))
    })
}

/// A visitor that collects the uses of a module.
struct Uses<'a> {
    module: &'a Module,
    modules: &'a BTreeMap<Module, PathBuf>,
    used: BTreeSet<Module>,
}

impl Uses<'_> {
    fn add(&mut self, path: &[String]) {
        let Some((first, mut rest)) = path.split_first() else {
            return;
        };
        let mut full = match first.as_str() {
            "crate" => Module::new(),
            "self" => self.module.clone(),
            "super" => parent(self.module),
            _ => return,
        };
        while let Some((_, after)) = rest.split_first().filter(|(name, _)| *name == "super") {
            full = parent(&full);
            rest = after;
        }
        full.extend_from_slice(rest);
        // The rest of the path is inside a module.
        while !full.is_empty() && !self.modules.contains_key(&full) {
            full.pop();
        }
        // A module may re-export items of its own submodules; that is not a
        // use.
        let own = full.starts_with(self.module);
        if !full.is_empty() && !own {
            self.used.insert(full);
        }
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.add(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree);
                }
            }
        }
    }
}

fn parent(module: &Module) -> Module {
    module[..module.len().saturating_sub(1)].to_vec()
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // Small modules of constants have no uses.
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    /// `pub(super)` is not a use.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|it| it.ident.to_string());
        self.add(&names.collect::<Vec<_>>());
        syn::visit::visit_path(self, path);
    }
}
