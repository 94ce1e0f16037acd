/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Open files: the handlers the core gives to a file, references, descriptors, and calling the
 * handlers of any file from the oob stage.
 */
#ifndef EVL_KAPI_FILE_H
#define EVL_KAPI_FILE_H

#include "kapi/base.h"

KAPI_BEGIN_DECLS

/*
 * Handlers of one kind of file; a static table of the core. `object` is what open() stored, or what
 * kapi_anon_file() was given. Unprefixed ones run in-band (may sleep); oob_ ones on the oob stage,
 * with irqs on, under a core's reference on the file. A NULL handler: kapi answers ENOTTY for
 * ioctls, EINVAL for read and write, ENODEV for mmap, "always ready" for poll.
 * Results: >= 0, or -errno. Times and pointers have one layout for 32 and 64 bit callers, so there
 * is no compat handler; kapi widens the pointer argument.
 */
struct kapi_file_ops {
	int (*open)(void *device_object, struct kapi_file *file, void **object) KAPI_OPTIONAL;
	void (*release)(void *object, struct kapi_file *file) KAPI_OPTIONAL;
	long (*ioctl)(void *object, struct kapi_file *file, unsigned int cmd,
		      unsigned long arg) KAPI_OPTIONAL;
	long (*read)(void *object, struct kapi_file *file, void *user_buf,
		     size_t bytes) KAPI_OPTIONAL;
	long (*write)(void *object, struct kapi_file *file, const void *user_buf,
		      size_t bytes) KAPI_OPTIONAL;
	unsigned int (*poll)(void *object, struct kapi_file *file,
			     struct kapi_poll_table *table) KAPI_OPTIONAL;
	int (*mmap)(void *object, struct kapi_file *file, struct kapi_vma *vma) KAPI_OPTIONAL;
	long (*oob_ioctl)(void *object, struct kapi_file *file, unsigned int cmd,
			  unsigned long arg) KAPI_OPTIONAL;
	long (*oob_read)(void *object, struct kapi_file *file, void *user_buf,
			 size_t bytes) KAPI_OPTIONAL;
	long (*oob_write)(void *object, struct kapi_file *file, const void *user_buf,
			  size_t bytes) KAPI_OPTIONAL;
};

/* ---- Files of the core ---- */

/*
 * Opens an anonymous file "[evl:name]" with a reserved, close-on-exec descriptor that nobody sees
 * yet. `name` has static storage; `flags`: O_RDWR and the like, and O_NONBLOCK. Sleeps. Returns the
 * descriptor. Then, when nothing else can fail, kapi_fd_install(); else kapi_fd_abort(), which also
 * releases the file (ops->release is called). Errors: EMFILE, ENFILE, ENOMEM.
 */
int kapi_anon_file(const char *name, const struct kapi_file_ops *ops, void *object,
		   unsigned int flags, struct kapi_file **file);
void kapi_fd_install(int fd, struct kapi_file *file);
void kapi_fd_abort(int fd, struct kapi_file *file);

/*
 * The object of a file whose handlers are `ops`, else NULL: how a request that names a descriptor
 * checks that it is of the right type. Stage: any, under a reference on the file.
 */
void *kapi_file_object(struct kapi_file *file, const struct kapi_file_ops *ops);

/*
 * The word that marks a file as oob-capable (evl::OobFile). Non-NULL from open() on makes Dovetail
 * report its descriptors: evl_on_fd_install() and so on. Stage: set inband, get any.
 */
void kapi_set_oob_data(struct kapi_file *file, void *oob_data);
void *kapi_oob_data(struct kapi_file *file);

/* O_NONBLOCK, O_RDONLY... of fcntl.h as they are now. Stage: any. */
unsigned int kapi_file_flags(struct kapi_file *file);

/* ---- Descriptors and references ---- */

/* Key of current's descriptor table: compared, never dereferenced. Stage: any. */
const struct kapi_files *kapi_current_files(void);

/* In-band reference by descriptor; NULL if there is none. Stage: inband. put: may sleep. */
struct kapi_file *kapi_get_file(int fd);
void kapi_put_file(struct kapi_file *file);

/* ---- Calling the handlers of any file ---- */

/*
 * Calls f_op->oob_*, of our files and of drivers alike. Stage: oob. Irqs: on. The caller holds a
 * reference of the core's. Errors: EINVAL (ioctl: ENOTTY) no handler, EBADF wrong access mode.
 */
long kapi_oob_ioctl(struct kapi_file *file, unsigned int cmd, unsigned long arg);
long kapi_oob_read(struct kapi_file *file, void *user_buf, size_t bytes);
long kapi_oob_write(struct kapi_file *file, const void *user_buf, size_t bytes);

/* From a kernel buffer, at and advancing the file's position. Sleeps. Errors: of that file. */
long kapi_kernel_read(struct kapi_file *file, void *buf, size_t bytes);
long kapi_kernel_write(struct kapi_file *file, const void *buf, size_t bytes);

KAPI_END_DECLS

#endif /* EVL_KAPI_FILE_H */
