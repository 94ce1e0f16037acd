// SPDX-License-Identifier: MIT

#include "evl-check/kconfig.h"

#include "common/text.h"

namespace utils {

KernelConfig KernelConfig::parse(std::string_view text) {
  constexpr std::string_view kBanner = "# Linux/";
  KernelConfig config;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.starts_with(kBanner) && config.arch_.empty()) {
      line.remove_prefix(kBanner.size());
      config.arch_ = line.substr(0, line.find(' '));
      continue;
    }
    const size_t equals = line.find('=');
    if (!line.starts_with("CONFIG_") || equals == std::string_view::npos) continue;
    const std::string_view value = line.substr(equals + 1);
    if (value == "y" || value == "m")
      config.values_[std::string{line.substr(0, equals)}] = value[0];
  }
  return config;
}

char KernelConfig::value(const std::string& symbol) const {
  const auto found = values_.find(symbol);
  return found == values_.end() ? 'n' : found->second;
}

std::optional<Term> Term::parse(std::string_view word) {
  Term term;
  if (word.starts_with('!')) {
    term.negated = true;
    word.remove_prefix(1);
  }
  const size_t equals = word.find('=');
  const std::string_view symbol = word.substr(0, equals);
  if (!symbol.starts_with("CONFIG_") || symbol.size() == std::string_view{"CONFIG_"}.size()) {
    return std::nullopt;
  }
  term.symbol = symbol;
  if (equals == std::string_view::npos) return term;
  const std::string_view value = word.substr(equals + 1);
  if (value == "n") {
    term.negated = !term.negated;
  } else if (value == "y" || value == "m") {
    term.value = value[0];
  } else {
    return std::nullopt;
  }
  return term;
}

bool Term::holds(const KernelConfig& config) const {
  const char found = config.value(symbol);
  const bool matches = value == '\0' ? found != 'n' : found == value;
  return matches != negated;
}

bool Assertion::holds(const KernelConfig& config, std::string_view machine) const {
  if (!arch.empty() && !machine.starts_with(machine_name(arch))) return true;
  if (condition && !condition->holds(config)) return true;
  return term.holds(config);
}

namespace {

std::optional<Assertion> parse_assertion(const std::vector<std::string_view>& line) {
  const auto term = Term::parse(line[0]);
  if (!term || line.size() % 2 == 0) return std::nullopt;
  Assertion assertion{.term = *term, .condition = {}, .arch = {}};
  for (size_t at = 1; at < line.size(); at += 2) {
    if (line[at] == "if" && !assertion.condition && assertion.arch.empty()) {
      assertion.condition = Term::parse(line[at + 1]);
      if (!assertion.condition) return std::nullopt;
    } else if (line[at] == "on" && assertion.arch.empty()) {
      assertion.arch = line[at + 1];
    } else {
      return std::nullopt;
    }
  }
  return assertion;
}

}  // namespace

CheckList CheckList::parse(std::string_view text) {
  CheckList list;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    const auto parts = words(line.substr(0, line.find('#')));
    if (parts.empty()) continue;
    if (auto assertion = parse_assertion(parts)) {
      list.assertions.push_back(std::move(*assertion));
    } else {
      list.bad_lines.push_back(number);
    }
  }
  return list;
}

std::string machine_name(std::string_view arch) {
  if (arch == "arm64") return "aarch64";
  if (arch == "arm") return "aarch32";
  return std::string{arch};
}

}  // namespace utils
