/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device classes, devices and their sysfs attributes: what element factories are made of.
 * In-band only; everything here sleeps unless said.
 */
#ifndef EVL_KAPI_DEVICE_H
#define EVL_KAPI_DEVICE_H

#include "kapi/cpu.h"
#include "kapi/file.h"

KAPI_BEGIN_DECLS

/* One file in a device's sysfs folder. Arrays end with a NULL name; static storage. */
struct kapi_attribute {
	const char *name KAPI_OPTIONAL;
	unsigned int mode;	/* 0444 or 0644 */
	/* Writes text to buf (one page); returns its length. Errors: EIO the object is gone. */
	long (*show)(void *object, char *buf, size_t capacity) KAPI_OPTIONAL;
	/* `text` ends with 0; returns `bytes` when taken. NULL: read only. */
	long (*store)(void *object, const char *text, size_t bytes) KAPI_OPTIONAL;
};

/*
 * A class "name" with `nr_minors` device numbers; nodes appear as /dev/evl/<name>/<device>, those
 * of the class "evl" as /dev/evl/<device>. Errors: ENOMEM, EBUSY no device numbers.
 */
int kapi_class_create(const char *name, unsigned int nr_minors, struct kapi_class **cls);
void kapi_class_destroy(struct kapi_class *cls);	/* All its devices are gone. */

struct kapi_device_setup {
	struct kapi_class *cls;
	unsigned int minor;			/* below nr_minors; not in use */
	const char *name;			/* copied */
	const struct kapi_file_ops *ops;	/* NULL: no node, sysfs only (private element) */
	const struct kapi_attribute *attributes;/* NULL: none */
	void *object;				/* given to open() and to the attributes */
	struct kapi_device *owner;		/* NULL, or whose uid and gid the node gets */
	bool in_dev;				/* The node is /dev/<name>: drivers, no elements. */
};

/* Errors: EEXIST, ENOMEM, ENAMETOOLONG. Open and attributes may be called before it returns. */
int kapi_device_create(const struct kapi_device_setup *setup, struct kapi_device **device);

/*
 * Removes node and attributes. On return no open() and no attribute of this device runs or will
 * run; files that are open keep their handlers and their object. Not from such a handler.
 */
void kapi_device_destroy(struct kapi_device *device);

/* CAP_SYS_ADMIN, or current owns the device's node, as it was when it was opened last. */
bool kapi_may_access(struct kapi_device *device);

/* Parses "1-3,5". Does not sleep. Errors: EINVAL, ERANGE. */
int kapi_parse_cpus(const char *text, struct kapi_cpumask *cpus);
/* Prints like that. Returns the length, below capacity. */
long kapi_print_cpus(const struct kapi_cpumask *cpus, char *buf, size_t capacity);

KAPI_END_DECLS

#endif /* EVL_KAPI_DEVICE_H */
