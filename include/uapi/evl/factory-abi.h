/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Creating elements: one ioctl on the clone device of a class, /dev/evl/<class>/clone.
 */
#ifndef _EVL_UAPI_FACTORY_ABI_H
#define _EVL_UAPI_FACTORY_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>

/* Bits 16 to 31 go to the core; bits 0 to 15 belong to the library and never reach it. */
#define EVL_CLONE_PRIVATE (0U << 16) /* Reached through the descriptor only. */
#define EVL_CLONE_PUBLIC (1U << 16) /* Has a node, /dev/evl/<class>/<name>. */
#define EVL_CLONE_OBSERVABLE (1U << 17) /* Thread: comes with an observable. */
#define EVL_CLONE_NONBLOCK (1U << 18) /* Library: sets O_NONBLOCK on the descriptor. */
#define EVL_CLONE_UNICAST (1U << 19) /* Observable: one observer per notice. */
#define EVL_CLONE_MASTER EVL_CLONE_UNICAST /* Name of UNICAST in older revisions. */
#define EVL_CLONE_INPUT (1U << 20) /* Proxy: from the target file. */
#define EVL_CLONE_OUTPUT (1U << 21) /* Proxy: to the target file. */
#define EVL_CLONE_COREDEV (1U << 31) /* Set inside the core only. */
#define EVL_CLONE_MASK ((0xffffU << 16) & ~EVL_CLONE_COREDEV)

/* state_offset of an element which shares no state with user space. */
#define EVL_NO_STATE_OFFSET 0xffffffffU

/* What the core calls a new element. state_offset counts from the start of the shared heap. */
struct evl_element_ids {
	__u32 minor;
	fundle_t fundle;
	__u32 state_offset;
};
EVL_ABI_SIZE(struct evl_element_ids, 12);

/*
 * name_ptr 0: the core picks <class>%<minor>. attrs_ptr: attributes of the class, 0 if none.
 * Out: eids; efd, or -1 if EVL_CLONE_PUBLIC was asked (then open the node).
 */
struct evl_clone_req {
	__u64 name_ptr;
	__u64 attrs_ptr;
	__u32 clone_flags;
	struct evl_element_ids eids;
	__u32 efd;
	__u32 __pad; /* Not looked at. */
};
EVL_ABI_SIZE(struct evl_clone_req, 40);
EVL_ABI_OFFSET(struct evl_clone_req, eids, 20);
EVL_ABI_OFFSET(struct evl_clone_req, efd, 32);

#define EVL_FACTORY_IOCBASE 'f'

#define EVL_IOC_CLONE _IOWR(EVL_FACTORY_IOCBASE, 0, struct evl_clone_req)

#endif /* !_EVL_UAPI_FACTORY_ABI_H */
