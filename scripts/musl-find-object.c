/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* _dl_find_object of glibc, for musl: Debian's libgcc_eh.a looks functions up with nothing
 * else. See musl-system.sh.
 */

#define _GNU_SOURCE

#include <link.h>
#include <stddef.h>

/* <dlfcn.h> of glibc on x86-64 */
struct dl_find_object {
  unsigned long long flags;
  void *map_start;
  void *map_end;
  struct link_map *link_map;
  void *eh_frame;
  unsigned long long reserved[7];
};

struct search {
  ElfW (Addr) pc;
  struct dl_find_object *result;
};

static int
look (struct dl_phdr_info *module, size_t size, void *opaque)
{
  struct search *search = opaque;
  void *eh_frame = NULL;
  int found = 0;

  (void) size;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW (Phdr) *segment = &module->dlpi_phdr[i];
    ElfW (Addr) start = module->dlpi_addr + segment->p_vaddr;

    if (segment->p_type == PT_LOAD && search->pc - start < segment->p_memsz)
      found = 1;
    if (segment->p_type == PT_GNU_EH_FRAME)
      eh_frame = (void *) start;
  }
  if (!found || eh_frame == NULL)
    return 0;
  *search->result = (struct dl_find_object) { .eh_frame = eh_frame };
  return 1;
}

int
_dl_find_object (void *pc, struct dl_find_object *result)
{
  struct search search = { (ElfW (Addr)) pc, result };

  return dl_iterate_phdr (look, &search) == 1 ? 0 : -1;
}
