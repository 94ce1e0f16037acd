// SPDX-License-Identifier: GPL-2.0
// Atomics that make the caller name the memory order. Any stage, any irq state, wait-free.
//
// Atomic<T>: a word private to the core. SharedWord: a word in the shared heap, which user space
// writes as well; never trust its value. Never use both on one word. A comment at each release
// names the acquire it pairs with.
//
// Each operation tells kapi first: a preemption point in the simulator, nothing in the kernel.
#ifndef EVL_BASE_ATOMIC_H
#define EVL_BASE_ATOMIC_H

#include "base/types.h"
#include "kapi/base.h"

namespace evl {

template <typename T>
class Atomic final : Immovable {
  static_assert(std::atomic<T>::is_always_lock_free && sizeof(T) <= 8);

 public:
  constexpr explicit Atomic(T initial) noexcept : word_{initial} {}

  // No order: for a word whose value alone matters, or under a lock.
  [[nodiscard]] T load_relaxed() const noexcept { return load(std::memory_order_relaxed); }
  [[nodiscard]] T load_acquire() const noexcept { return load(std::memory_order_acquire); }
  void store_relaxed(T value) noexcept { store(value, std::memory_order_relaxed); }
  void store_release(T value) noexcept { store(value, std::memory_order_release); }

  // Read-modify-write operations are full barriers, as the kernel's value-returning ones are.
  T exchange(T value) noexcept {
    kapi_shared_access(&word_, true);
    return word_.exchange(value, std::memory_order_seq_cst);
  }
  // True when `expected` was found and replaced; else `expected` is what was found.
  [[nodiscard]] bool compare_exchange(T& expected, T desired) noexcept {
    kapi_shared_access(&word_, true);
    return word_.compare_exchange_strong(expected, desired, std::memory_order_seq_cst,
                                         std::memory_order_relaxed);
  }
  // Return the former value.
  T fetch_add(T amount) noexcept requires std::integral<T> {
    kapi_shared_access(&word_, true);
    return word_.fetch_add(amount, std::memory_order_seq_cst);
  }
  T fetch_sub(T amount) noexcept requires std::integral<T> {
    kapi_shared_access(&word_, true);
    return word_.fetch_sub(amount, std::memory_order_seq_cst);
  }
  T fetch_or(T bits) noexcept requires std::integral<T> {
    kapi_shared_access(&word_, true);
    return word_.fetch_or(bits, std::memory_order_seq_cst);
  }
  T fetch_and(T bits) noexcept requires std::integral<T> {
    kapi_shared_access(&word_, true);
    return word_.fetch_and(bits, std::memory_order_seq_cst);
  }

 private:
  [[nodiscard]] T load(std::memory_order order) const noexcept {
    kapi_shared_access(&word_, false);
    return word_.load(order);
  }
  void store(T value, std::memory_order order) noexcept {
    kapi_shared_access(&word_, true);
    word_.store(value, order);
  }

  std::atomic<T> word_;
};

// Handle on a 32-bit word of the ABI; lives as long as the caller keeps the word mapped.
class SharedWord final {
 public:
  explicit SharedWord(u32& word) noexcept : word_{&word} {}

  [[nodiscard]] u32 load_relaxed() const noexcept {
    kapi_shared_access(word_, false);
    return ref().load(std::memory_order_relaxed);
  }
  [[nodiscard]] u32 load_acquire() const noexcept {
    kapi_shared_access(word_, false);
    return ref().load(std::memory_order_acquire);
  }
  void store_relaxed(u32 value) const noexcept {
    kapi_shared_access(word_, true);
    ref().store(value, std::memory_order_relaxed);
  }
  void store_release(u32 value) const noexcept {
    kapi_shared_access(word_, true);
    ref().store(value, std::memory_order_release);
  }
  u32 exchange(u32 value) const noexcept {
    kapi_shared_access(word_, true);
    return ref().exchange(value, std::memory_order_seq_cst);
  }
  [[nodiscard]] bool compare_exchange(u32& expected, u32 desired) const noexcept {
    kapi_shared_access(word_, true);
    return ref().compare_exchange_strong(expected, desired, std::memory_order_seq_cst,
                                         std::memory_order_relaxed);
  }
  u32 fetch_add(u32 amount) const noexcept {
    kapi_shared_access(word_, true);
    return ref().fetch_add(amount, std::memory_order_seq_cst);
  }
  u32 fetch_or(u32 bits) const noexcept {
    kapi_shared_access(word_, true);
    return ref().fetch_or(bits, std::memory_order_seq_cst);
  }
  u32 fetch_and(u32 bits) const noexcept {
    kapi_shared_access(word_, true);
    return ref().fetch_and(bits, std::memory_order_seq_cst);
  }

 private:
  [[nodiscard]] std::atomic_ref<u32> ref() const noexcept { return std::atomic_ref<u32>{*word_}; }
  u32* word_;
};

// Full barrier between words that are only loaded and stored.
inline void full_barrier() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace evl

#endif  // EVL_BASE_ATOMIC_H
