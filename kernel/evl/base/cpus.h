// SPDX-License-Identifier: GPL-2.0
// Sets of CPUs, and one object per CPU. Any stage.
#ifndef EVL_BASE_CPUS_H
#define EVL_BASE_CPUS_H

#include "base/assert.h"
#include "base/proof.h"
#include "base/types.h"
#include "kapi/cpu.h"

namespace evl {

using Cpu = unsigned;  // Below kMaxCpus.
inline constexpr Cpu kMaxCpus = KAPI_NR_CPUS;
inline constexpr Cpu kNoCpu = ~0U;

// Not atomic: the caller owns it or holds its lock. Costs are O(kMaxCpus / 64).
class CpuSet {
 public:
  constexpr CpuSet() noexcept = default;
  explicit CpuSet(const kapi_cpumask& raw) noexcept : raw_{raw} {}
  [[nodiscard]] static CpuSet of(kapi_cpu_set set, const InbandStage&) noexcept {
    CpuSet cpus;
    kapi_get_cpus(set, &cpus.raw_);
    return cpus;
  }

  [[nodiscard]] constexpr bool has(Cpu cpu) const noexcept {
    return cpu < kMaxCpus && (raw_.words[cpu / 64] >> cpu % 64 & 1) != 0;
  }
  constexpr void add(Cpu cpu) noexcept {
    EVL_ASSERT(cpu < kMaxCpus);
    raw_.words[cpu / 64] |= u64{1} << cpu % 64;
  }
  constexpr void remove(Cpu cpu) noexcept {
    EVL_ASSERT(cpu < kMaxCpus);
    raw_.words[cpu / 64] &= ~(u64{1} << cpu % 64);
  }
  constexpr void clear() noexcept { raw_ = {}; }

  // The lowest CPU at or above `from`, or kNoCpu.
  [[nodiscard]] constexpr Cpu next(Cpu from) const noexcept {
    for (Cpu cpu = from; cpu < kMaxCpus; cpu = (cpu / 64 + 1) * 64) {
      const u64 rest = raw_.words[cpu / 64] >> cpu % 64;
      if (rest != 0) return cpu + static_cast<Cpu>(std::countr_zero(rest));
    }
    return kNoCpu;
  }
  [[nodiscard]] constexpr Cpu first() const noexcept { return next(0); }
  [[nodiscard]] constexpr bool empty() const noexcept { return first() == kNoCpu; }

  constexpr CpuSet operator&(const CpuSet& other) const noexcept {
    CpuSet both;
    for (unsigned i = 0; i < KAPI_CPUMASK_WORDS; ++i)
      both.raw_.words[i] = raw_.words[i] & other.raw_.words[i];
    return both;
  }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Cpu cpu = first(); cpu != kNoCpu; cpu = next(cpu + 1)) visit(cpu);
  }

  [[nodiscard]] const kapi_cpumask* raw() const noexcept { return &raw_; }

 private:
  kapi_cpumask raw_{};
};

// Number of this CPU: cannot change while hard irqs are off.
[[nodiscard]] inline Cpu this_cpu(const HardIrqsOff&) noexcept {
  return kapi_this_cpu();
}

// One T per CPU that was given one at start-up; the table never changes afterwards, so reading it
// needs no lock. T lives in memory of its own: no false sharing.
template <typename T>
class PerCpu final : Immovable {
 public:
  constexpr PerCpu() noexcept = default;

  void install(Cpu cpu, T* object) noexcept {
    EVL_ASSERT(cpu < kMaxCpus);
    slots_[cpu] = object;
  }
  [[nodiscard]] bool has(Cpu cpu) const noexcept {
    return cpu < kMaxCpus && slots_[cpu] != nullptr;
  }
  [[nodiscard]] T& on(Cpu cpu) const noexcept {
    EVL_ASSERT(has(cpu));
    return *slots_[cpu];
  }
  [[nodiscard]] T& here(const HardIrqsOff& irqs_off) const noexcept {
    return on(this_cpu(irqs_off));
  }

 private:
  std::array<T*, kMaxCpus> slots_{};
};

}  // namespace evl

#endif  // EVL_BASE_CPUS_H
