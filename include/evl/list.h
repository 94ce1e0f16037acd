/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked lists whose links are part of the elements. In all calls the element comes
 * first, the head second. Nothing is locked. Each call is O(1).
 */
#ifndef _EVL_LIST_H
#define _EVL_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <evl/compiler.h>

/* A head or a link; an empty list, and a link that is not linked, point to themselves. */
struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD_INITIALIZER(__name)                        \
	{                                                    \
		.next = &(__name), .prev = &(__name)         \
	}
#define DEFINE_LIST_HEAD(__name) struct list_head __name = LIST_HEAD_INITIALIZER(__name)

static inline void list_init(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline bool list_is_linked(const struct list_head *e)
{
	return !list_empty(e);
}

/* Is @e the first element of @head? */
static inline bool list_is_heading(const struct list_head *e, const struct list_head *head)
{
	return head->next == e;
}

/* Links @next right behind @prev. */
static inline void list_insert(struct list_head *next, struct list_head *prev)
{
	next->prev = prev;
	next->next = prev->next;
	prev->next->prev = next;
	prev->next = next;
}

static inline void list_prepend(struct list_head *e, struct list_head *head)
{
	list_insert(e, head);
}

static inline void list_append(struct list_head *e, struct list_head *head)
{
	list_insert(e, head->prev);
}

/* The elements of @src go to the end of @dst; @src is empty afterwards. */
static inline void list_join(struct list_head *src, struct list_head *dst)
{
	if (list_empty(src))
		return;
	src->next->prev = dst->prev;
	src->prev->next = dst;
	dst->prev->next = src->next;
	dst->prev = src->prev;
	list_init(src);
}

/* @e itself keeps its stale pointers: list_remove_init() leaves it unlinked. */
static inline void list_remove(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
}

static inline void list_remove_init(struct list_head *e)
{
	list_remove(e);
	list_init(e);
}

/* The list is not empty. */
static inline struct list_head *list_pop(struct list_head *head)
{
	struct list_head *e = head->next;

	list_remove(e);
	return e;
}

#define list_entry(__ptr, __type, __member) container_of(__ptr, __type, __member)

/* The list is not empty. */
#define list_first_entry(__head, __type, __member) \
	list_entry((__head)->next, __type, __member)
#define list_last_entry(__head, __type, __member) \
	list_entry((__head)->prev, __type, __member)
#define list_pop_entry(__head, __type, __member) \
	list_entry(list_pop(__head), __type, __member)

/* NULL at the ends of the list. */
#define list_prev_entry(__pos, __head, __member)                                         \
	((__pos)->__member.prev == (__head) ?                                            \
		 NULL :                                                                  \
		 list_entry((__pos)->__member.prev, __typeof__(*(__pos)), __member))
#define list_next_entry(__pos, __head, __member)                                         \
	((__pos)->__member.next == (__head) ?                                            \
		 NULL :                                                                  \
		 list_entry((__pos)->__member.next, __typeof__(*(__pos)), __member))

#define list_for_each(__pos, __head) \
	for (__pos = (__head)->next; __pos != (__head); __pos = (__pos)->next)
#define list_for_each_reverse(__pos, __head) \
	for (__pos = (__head)->prev; __pos != (__head); __pos = (__pos)->prev)

/* The safe forms allow the current element to be removed. */
#define list_for_each_safe(__pos, __tmp, __head)                             \
	for (__pos = (__head)->next, __tmp = (__pos)->next; __pos != (__head); \
	     __pos = __tmp, __tmp = (__pos)->next)

#define list_for_each_entry(__pos, __head, __member)                                    \
	for (__pos = list_entry((__head)->next, __typeof__(*(__pos)), __member);        \
	     &(__pos)->__member != (__head);                                            \
	     __pos = list_entry((__pos)->__member.next, __typeof__(*(__pos)), __member))
#define list_for_each_entry_safe(__pos, __tmp, __head, __member)                        \
	for (__pos = list_entry((__head)->next, __typeof__(*(__pos)), __member),        \
	    __tmp = list_entry((__pos)->__member.next, __typeof__(*(__pos)), __member); \
	     &(__pos)->__member != (__head); __pos = __tmp,                             \
	    __tmp = list_entry((__pos)->__member.next, __typeof__(*(__pos)), __member))
#define list_for_each_entry_reverse(__pos, __head, __member)                            \
	for (__pos = list_entry((__head)->prev, __typeof__(*(__pos)), __member);        \
	     &(__pos)->__member != (__head);                                            \
	     __pos = list_entry((__pos)->__member.prev, __typeof__(*(__pos)), __member))
#define list_for_each_entry_reverse_safe(__pos, __tmp, __head, __member)                \
	for (__pos = list_entry((__head)->prev, __typeof__(*(__pos)), __member),        \
	    __tmp = list_entry((__pos)->__member.prev, __typeof__(*(__pos)), __member); \
	     &(__pos)->__member != (__head); __pos = __tmp,                             \
	    __tmp = list_entry((__pos)->__member.prev, __typeof__(*(__pos)), __member))

#endif /* !_EVL_LIST_H */
