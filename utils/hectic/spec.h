// SPDX-License-Identifier: MIT
// The kinds of threads between which hectic switches, and how users name them.
#ifndef UTILS_HECTIC_SPEC_H
#define UTILS_HECTIC_SPEC_H

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace utils::hectic {

enum class Kind {
  sleeper,   // In-band; sleeps for 1 ms per turn. One per CPU.
  switcher,  // The same without the sleep, in the stress mode.
  rtk,       // A kernel thread.
  rtup,      // A user thread, always out-of-band.
  rtus,      // A user thread, always in-band.
  rtuo,      // A user thread which alternates.
};

// rtk|rtup|rtus|rtuo, then _ufpp (uses the FPU while out-of-band), _ufps (while in-band), a CPU.
struct Spec {
  Kind kind{Kind::rtup};
  bool fpu_oob{false};
  bool fpu_inband{false};
  int cpu{0};

  auto operator<=>(const Spec&) const = default;

  /// Nothing if the text is no specification, or one that cannot be: a kernel thread, or a thread
  /// on a stage it never visits, that uses the FPU there.
  [[nodiscard]] static std::optional<Spec> parse(std::string_view text);
  /// "rtuo_ufpp_ufps", without the CPU.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool uses_fpu() const { return fpu_oob || fpu_inband; }
  /// Attached to the core?
  [[nodiscard]] bool is_oob() const { return kind == Kind::rtup || kind == Kind::rtuo; }
};

/// What runs on a CPU if nobody says anything else: two of each.
[[nodiscard]] std::vector<Spec> default_specs(int cpu, bool with_fpu);

}  // namespace utils::hectic

#endif  // UTILS_HECTIC_SPEC_H
