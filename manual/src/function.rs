// SPDX-License-Identifier: LGPL-2.1-or-later

//! The page of a function: the text of its comment, and sections generated from
//! its line in `functions.tsv` or `extensions.tsv`.

use crate::comments::Comment;
use crate::header::{self, Types};
use crate::inline::{self, TERM};
use crate::interface::Function;
use crate::layout;
use crate::names::{Context, Names};
use crate::page::{Footer, Page};
use crate::Result;

/// The states of a handle, each with its name in the tables.
const STATES: [(&str, &str); 7] = [
    ("created", "created"),
    ("connecting", "connecting"),
    ("negotiating", "negotiating"),
    ("ready", "connected"),
    ("processing", "connected"),
    ("closed", "closed"),
    ("dead", "dead"),
];

/// Creates the page in man(7).
pub fn page(
    function: &Function,
    comment: &Comment,
    types: &Types,
    names: &Names,
    footer: &Footer,
) -> Result<String> {
    let context = Context {
        names,
        page: &function.name,
        parameters: [&function.parameters]
            .into_iter()
            .map(String::as_str)
            .chain(header::used(&function.parameters, types))
            .flat_map(parameters)
            .collect(),
    };
    let mut page = Page::new(context, footer, &about(&comment.summary))?;
    page.synopsis(&synopsis(function, types))?;
    page.section("Description", &description(function, comment))?;
    page.section("Return value", &result(function, comment))?;
    page.section("Errors", &errors(function, comment))?;
    page.section("Handle state", &states(function))?;
    page.section("Version", &version(function))?;
    if let Some(text) = comment.section("Standards") {
        page.section("Standards", text)?;
    }
    if let Some(text) = comment.section("Example") {
        page.section("Example", text)?;
    }
    page.section("See also", &see_also(function, comment)?)?;
    page.finish()
}

/// Returns the summary in the form used by lists of pages: `returns the size of
/// the export`.
fn about(summary: &str) -> String {
    uncapitalized(summary.trim_end_matches('.')).replace('`', "")
}

/// Returns the summary in lower case, to follow the name of the function.
fn uncapitalized(summary: &str) -> String {
    let mut characters = summary.chars();
    let first = characters.next().unwrap_or_default();
    format!("{}{}", first.to_lowercase(), characters.as_str())
}

/// Returns the names of the parameters in a declaration: the last word of each,
/// without asterisks.
fn parameters(declaration: &str) -> Vec<&str> {
    declaration
        .split([',', ')'])
        .filter_map(|parameter| parameter.trim_end().rsplit([' ', '*', '\n']).next())
        .filter(|name| *name != "void" && name.starts_with(|it: char| it.is_ascii_lowercase()))
        .collect()
}

fn takes_handle(function: &Function) -> bool {
    function.parameters.starts_with("struct nbd_handle *")
}

fn synopsis(function: &Function, types: &Types) -> String {
    let Function {
        name,
        returns,
        parameters,
        ..
    } = function;
    let space = if returns.ends_with('*') { "" } else { " " };
    let returns = returns.replace('*', " *");
    let prototype = format!("{returns}{space}{name}({parameters});");
    let mut parts = vec![format!("#include <{}>", function.header())];
    parts.extend(
        header::used(parameters, types)
            .into_iter()
            .map(String::from),
    );
    parts.push(layout::wrap(&prototype, header::WIDTH));
    parts.join("\n\n")
}

/// Paragraph shared by all functions that return the cookie of a command.
const ISSUES_A_COMMAND: &str = "\
The call does not wait for the reply. Call `nbd_poll`, or run a main loop of your own,
until the command completes (libnbd(3), \"ASYNCHRONOUS COMMANDS\"). The result
of the command is passed to the completion callback and returned by
`nbd_aio_command_completed`.
";

fn description(function: &Function, comment: &Comment) -> String {
    let summary = uncapitalized(&comment.summary);
    let mut text = format!("`{}` {summary}\n\n{}", function.name, comment.body);
    if function.returns == "int64_t" && function.parameters.contains("nbd_completion_callback ") {
        text.push_str(&format!("\n{ISSUES_A_COMMAND}"));
    }
    if let Some(parameters) = comment.section("Parameters") {
        text.push_str("\n## Parameters\n\n");
        text.push_str(parameters);
    }
    text
}

fn result(function: &Function, comment: &Comment) -> String {
    let mut text = match (comment.section("Result"), function.returns.as_str()) {
        (Some(text), _) => text.to_string(),
        (None, "void") => "None.".into(),
        (None, _) => "0 on success, or -1 on error.".into(),
    };
    match function.release.as_deref() {
        Some("__builtin_free") => {
            text.push_str("\n\nThe caller must release the string with free(3).")
        }
        Some(release) => text.push_str(&format!("\n\nRelease it with `{release}`.")),
        None => {}
    }
    if takes_handle(function) && function.returns != "void" && !text.contains("does not fail") {
        text.push_str("\n\nOn error, `nbd_get_error` and `nbd_get_errno` return the reason.");
    }
    text
}

/// Returns the errors of the comment, then those implied by the table; errors
/// without an errno come last.
fn errors(function: &Function, comment: &Comment) -> String {
    let own = comment.section("Errors").unwrap_or_default();
    let (numbered, others): (Vec<String>, Vec<String>) =
        items(own).into_iter().partition(|item| has_term(item));
    let mut all = numbered;
    if function.states != "any" {
        let allowed: Vec<&str> = function.states.split(',').collect();
        if allowed.contains(&"created") {
            all.push(
                "`EINVAL`: the call is not allowed in the current state of the handle.".into(),
            );
        } else {
            all.push("`ENOTCONN`: the handle is not connected yet.".into());
            all.push(
                "`EINVAL`: the call is not allowed in the current state of the handle.".into(),
            );
        }
    }
    all.extend(null(function));
    all.extend(others);
    if all.is_empty() {
        return "None.".into();
    }
    all.iter().map(|item| format!("- {item}\n")).collect()
}

/// Returns the items of a Markdown list.
fn items(list: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in list.lines() {
        match (line.strip_prefix("- "), items.last_mut()) {
            (Some(first), _) => items.push(first.into()),
            (None, Some(item)) => {
                item.push('\n');
                item.push_str(line);
            }
            (None, None) => items.push(line.into()),
        }
    }
    items
}

fn has_term(item: &str) -> bool {
    inline::term(&item.replace('\n', " ")).is_some_and(|(term, _)| term.len() <= TERM)
}

/// Returns the error for NULL pointers. An empty required callback counts as
/// NULL.
fn null(function: &Function) -> Option<String> {
    let names = parameters(&function.parameters);
    let mut required: Vec<String> = function
        .non_null
        .iter()
        .map(|number| format!("`{}`", names[number - 1]))
        .collect();
    let last = required.pop()?;
    let mut text = match required.len() {
        0 => format!("`EFAULT`: {last} is NULL"),
        _ => format!("`EFAULT`: {} or {last} is NULL", required.join(", ")),
    };
    for parameter in function.parameters.split(", ") {
        match parameter.split_once("_callback ") {
            Some(("nbd_completion", _)) | None => {}
            Some((_, name)) => text.push_str(&format!(
                ", or `{name}` has neither a `callback` nor a `free` function"
            )),
        }
    }
    Some(text + ".")
}

/// Returns the table of states.
fn states(function: &Function) -> String {
    if !takes_handle(function) {
        return "This function does not use a handle and can be called at any time.".into();
    }
    let allowed: Vec<&str> = function.states.split(',').collect();
    let mut text = "| State | Tested by | This call |\n| --- | --- | --- |\n".to_string();
    for (state, group) in STATES {
        let outcome = if allowed.contains(&"any") || allowed.contains(&group) {
            "is allowed"
        } else if state == "created" {
            "fails with `ENOTCONN`"
        } else {
            "fails with `EINVAL`"
        };
        text.push_str(&format!("| {state} | `nbd_aio_is_{state}` | {outcome} |\n"));
    }
    text
}

fn version(function: &Function) -> String {
    let added = match function.is_extension() {
        true => "The C library does not have this function; see libnbd-ext(3).".into(),
        false => {
            let number = function.version.trim_start_matches("LIBNBD_");
            format!("Added in libnbd {number}.")
        }
    };
    format!(
        "{added} The symbol has the version `{}`.\n\n\
         If the header declares the function, it also defines this macro:\n\n\
         ```text\n#define {} 1\n```\n",
        function.version,
        function.have()
    )
}

/// Returns the references of the comment, followed by the overviews.
fn see_also(function: &Function, comment: &Comment) -> Result<String> {
    let text = comment
        .section("See also")
        .ok_or("the comment has no section See also")?
        .trim_end_matches('.');
    let text = match function.is_extension() {
        true => format!("{text}; libnbd-ext(3), libnbd(3)"),
        false => text.into(),
    };
    Ok(match text.contains("libnbd(3)") {
        true => format!("{text}."),
        false => format!("{text}; libnbd(3)."),
    })
}
