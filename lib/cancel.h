// SPDX-License-Identifier: MIT
// Where a thread may be cancelled while it sleeps in the core.
//
// An out-of-band request is no cancellation point of the C library, so a cancellation has to strike
// asynchronously, by its signal, which breaks the sleep. The library is built without exceptions:
// no destructor runs when that happens, and none is needed, for the thread ends.
#ifndef LIB_CANCEL_H
#define LIB_CANCEL_H

#include <pthread.h>

namespace evl {

class [[nodiscard]] CancelRegion final {
 public:
  CancelRegion() noexcept { pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before_); }
  ~CancelRegion() { pthread_setcanceltype(before_, nullptr); }
  CancelRegion(const CancelRegion&) = delete;
  CancelRegion& operator=(const CancelRegion&) = delete;

 private:
  int before_{};
};

}  // namespace evl

#endif  // LIB_CANCEL_H
