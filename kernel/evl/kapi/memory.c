// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the kernel: in-band, may sleep. Memory of user space: either stage.
 */
#include <linux/align.h>
#include <linux/cache.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "kapi/internal.h"

static_assert(KAPI_CACHE_LINE == L1_CACHE_BYTES);

/* kmalloc() aligns to the largest power of two that divides the size. */
void *kapi_alloc(size_t bytes)
{
	return kzalloc(L1_CACHE_ALIGN(bytes), GFP_KERNEL | __GFP_NOWARN);
}

void *kapi_alloc_nowait(size_t bytes)
{
	return kzalloc(bytes, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
}

void kapi_free(void *block)
{
	kfree(block);
}

void *kapi_alloc_virtual(size_t bytes)
{
	/* The size is a caller's wish: on his account, and refused rather than found by killing somebody. */
	return __vmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
}

void kapi_free_virtual(void *block)
{
	vfree(block);
}

void *kapi_alloc_shared(size_t bytes)
{
	return alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
}

void kapi_free_shared(void *block, size_t bytes)
{
	if (block)
		free_pages_exact(block, bytes);
}

/* A private mapping would copy the page on the first write, and share nothing. */
int kapi_map_shared(struct kapi_vma *kvma, void *block, size_t bytes)
{
	struct vm_area_struct *vma = (struct vm_area_struct *)kvma;

	if (vma->vm_end - vma->vm_start != bytes || vma->vm_pgoff ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(virt_to_phys(block)), bytes,
			       vma->vm_page_prot);
}

/* The area keeps the other file from here on, as if it had been mapped itself. */
int kapi_map_forward(struct kapi_vma *kvma, struct kapi_file *kfile)
{
	struct vm_area_struct *vma = (struct vm_area_struct *)kvma;
	struct file *file = (struct file *)kfile;

	if (!file->f_op->mmap)
		return -ENODEV;

	/* mmap(2) has looked at the modes of the other file, not at those of this one. */
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;

	if (vma->vm_flags & VM_SHARED && !(file->f_mode & FMODE_WRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}

	if (path_noexec(&file->f_path)) {
		if (vma->vm_flags & VM_EXEC)
			return -EPERM;
		vm_flags_clear(vma, VM_MAYEXEC);
	}

	vma_set_file(vma, file);

	return call_mmap(file, vma);
}

size_t kapi_page_size(void)
{
	return PAGE_SIZE;
}

/*
 * The raw forms: the checked ones say that they may sleep, which is only true in-band. A fault on
 * the oob stage takes the caller in-band by a hook of Dovetail.
 */
int kapi_copy_from_user(void *dst, const void *user_src, size_t bytes)
{
	const void __user *src = (const void __user *)user_src;

	if (!access_ok(src, bytes))
		return -EFAULT;

	/* Nothing may be read by a bad address, not even ahead of time. */
	barrier_nospec();

	return raw_copy_from_user(dst, src, bytes) ? -EFAULT : 0;
}

int kapi_copy_to_user(void *user_dst, const void *src, size_t bytes)
{
	void __user *dst = (void __user *)user_dst;

	if (!access_ok(dst, bytes))
		return -EFAULT;

	return raw_copy_to_user(dst, src, bytes) ? -EFAULT : 0;
}

int kapi_copy_name_from_user(char *dst, const void *user_src, size_t capacity)
{
	long length = strncpy_from_user(dst, (const char __user *)user_src, capacity);

	if (length < 0)
		return length;
	if (!length)
		return -EINVAL;

	return length < capacity ? length : -ENAMETOOLONG;
}
