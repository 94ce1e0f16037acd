// SPDX-License-Identifier: MIT
// Kernel configurations, and lists of assertions about them.
//
// One assertion per line: [!]CONFIG_X[=y|m|n] [if [!]CONFIG_Y[=v]] [on ARCH]. Without a value, y
// and m will do; "!" and "=n" are a negation each. ARCH is compared with the beginning of the
// machine's name. A '#' starts a comment.
#ifndef UTILS_EVL_CHECK_KCONFIG_H
#define UTILS_EVL_CHECK_KCONFIG_H

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace utils {

// What is set to y or m in a .config.
class KernelConfig final {
 public:
  [[nodiscard]] static KernelConfig parse(std::string_view text);

  /// 'y', 'm', or 'n' if it is not set.
  [[nodiscard]] char value(const std::string& symbol) const;
  /// From the line "# Linux/<arch> ..."; empty if there is none.
  [[nodiscard]] const std::string& arch() const { return arch_; }
  [[nodiscard]] size_t size() const { return values_.size(); }

 private:
  std::map<std::string, char, std::less<>> values_;
  std::string arch_;
};

struct Term {
  std::string symbol;
  bool negated{false};
  char value{'\0'};  // Zero: y or m.

  [[nodiscard]] static std::optional<Term> parse(std::string_view word);
  [[nodiscard]] bool holds(const KernelConfig& config) const;
};

struct Assertion {
  Term term;
  std::optional<Term> condition;
  std::string arch;  // Empty: any.

  [[nodiscard]] bool holds(const KernelConfig& config, std::string_view machine) const;
};

struct CheckList {
  std::vector<Assertion> assertions;
  std::vector<int> bad_lines;  // Numbers of the lines that are no assertion.

  [[nodiscard]] static CheckList parse(std::string_view text);
};

/// The kernel's name of an architecture as uname(2) spells it: arm64 is aarch64, arm is aarch32.
[[nodiscard]] std::string machine_name(std::string_view arch);

}  // namespace utils

#endif  // UTILS_EVL_CHECK_KCONFIG_H
