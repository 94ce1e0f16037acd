// SPDX-License-Identifier: GPL-2.0
// Clang's thread safety attributes; nothing under GCC. `-Wthread-safety` makes a missing lock an
// error in the host build.
#ifndef EVL_BASE_ANNOTATIONS_H
#define EVL_BASE_ANNOTATIONS_H

#if defined(__clang__)
#define EVL_TSA(attribute) __attribute__((attribute))
#else
#define EVL_TSA(attribute)
#endif

#define EVL_CAPABILITY(name) EVL_TSA(capability(name))
#define EVL_SCOPED_CAPABILITY EVL_TSA(scoped_lockable)
#define EVL_GUARDED_BY(lock) EVL_TSA(guarded_by(lock))
#define EVL_PT_GUARDED_BY(lock) EVL_TSA(pt_guarded_by(lock))
#define EVL_REQUIRES(...) EVL_TSA(requires_capability(__VA_ARGS__))
#define EVL_EXCLUDES(...) EVL_TSA(locks_excluded(__VA_ARGS__))
#define EVL_ACQUIRE(...) EVL_TSA(acquire_capability(__VA_ARGS__))
#define EVL_TRY_ACQUIRE(...) EVL_TSA(try_acquire_capability(__VA_ARGS__))
#define EVL_RELEASE(...) EVL_TSA(release_capability(__VA_ARGS__))
#define EVL_ASSERT_CAPABILITY(lock) EVL_TSA(assert_capability(lock))
#define EVL_RETURN_CAPABILITY(lock) EVL_TSA(lock_returned(lock))
// Needs a comment that names the invariant which stands in for the analysis.
#define EVL_NO_THREAD_SAFETY_ANALYSIS EVL_TSA(no_thread_safety_analysis)

// On the path of a wake-up: compiled together with all it calls in its unit (path-y in the
// Makefile), each of which is smaller than a call. For few and flat functions: the code grows.
#define EVL_FLAT [[gnu::flatten]]
// What these call now and then, or from several places.
#define EVL_APART [[gnu::noinline]]

#endif  // EVL_BASE_ANNOTATIONS_H
