// SPDX-License-Identifier: MIT
// libFuzzer target: what the tools read from command lines, from sysfs, and from kernel
// configurations. What is accepted is in its limits; what can be printed again reads the same.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/cpu_list.h"
#include "common/text.h"
#include "evl-check/kconfig.h"
#include "evl-ps/table.h"
#include "evl-ps/thread_row.h"
#include "hectic/spec.h"
#include "latmus/gpio_monitor.h"
#include "latmus/options.h"

namespace {

void expect(bool holds) {
  if (!holds) __builtin_trap();
}

void cpu_list(std::string_view text) {
  constexpr int kLast = 300;
  const auto cpus = utils::parse_cpu_list(text, kLast);
  if (!cpus) return;
  for (const int cpu : *cpus) expect(cpu >= 0 && cpu <= kLast);
  expect(utils::parse_cpu_list(utils::format_cpu_list(*cpus), kLast) == cpus);
}

void numbers(std::string_view text) {
  const auto any = utils::to_integer(text);
  const auto small = utils::to_integer(text, -5, 1'000);
  if (small) expect(any == small && *small >= -5 && *small <= 1'000);
  if (any) expect(utils::to_integer(std::to_string(*any)) == any);
  size_t pieces = 1;
  for (const char c : text) pieces += c == ',' ? 1 : 0;
  expect(utils::split(text, ',').size() == pieces);
  for (const std::string_view word : utils::words(text)) expect(utils::trim(word) == word);
}

void spec(std::string_view text) {
  const auto found = utils::hectic::Spec::parse(text);
  if (!found) return;
  const std::string again = found->name() + std::to_string(found->cpu);
  expect(utils::hectic::Spec::parse(again) == found);
}

// A configuration, and after a zero byte the assertions about it.
void configuration(std::string_view text) {
  const size_t end = text.find('\0');
  const auto config = utils::KernelConfig::parse(text.substr(0, end));
  if (end == std::string_view::npos) return;
  const auto list = utils::CheckList::parse(text.substr(end + 1));
  for (const utils::Assertion& one : list.assertions) {
    expect(one.term.symbol.starts_with("CONFIG_"));
    utils::Term opposite = one.term;
    opposite.negated = !opposite.negated;
    expect(opposite.holds(config) != one.term.holds(config));
    (void)one.holds(config, "x86_64");
  }
  int last = 0;
  for (const int number : list.bad_lines) {
    expect(number > last);
    last = number;
  }
}

void attributes(std::string_view text) {
  utils::ThreadRow row;
  (void)utils::parse_sched(text, &row);
  (void)utils::parse_stats(text, &row);
  const std::string xml = utils::escape_xml(text);
  expect(xml.find('<') == std::string::npos && xml.find('"') == std::string::npos);
}

void address(std::string_view text) {
  const auto found = utils::latmus::MonitorAddress::parse(text);
  if (found) expect(!found->host.empty() && found->port != 0);
}

void duration(std::string_view text) {
  const auto found = utils::latmus::parse_duration(text);
  if (!found) return;
  expect(*found >= 1);
  expect(utils::latmus::parse_duration(std::to_string(*found) + "s") == found);
}

void gpio_line(std::string_view text) {
  const auto found = utils::latmus::GpioLine::parse(text);
  if (found) expect(found->chip.find('/') != std::string::npos && found->pin >= 0);
}

void order(std::string_view text) {
  (void)utils::Order::parse(text);
}

// Whatever the words: the options are in their limits, or there is a complaint.
void latmus_options(std::string_view text) {
  std::vector<std::string> kept{"latmus"};
  for (const std::string_view word : utils::words(text)) kept.emplace_back(word);
  std::vector<char*> argv;
  for (std::string& word : kept) argv.push_back(word.data());
  argv.push_back(nullptr);
  utils::latmus::Options options;
  std::string error;
  const auto parsed =
      utils::latmus::parse_options(static_cast<int>(kept.size()), argv.data(), &options, &error);
  expect((parsed == utils::latmus::Parsed::wrong_use) == !error.empty());
  if (parsed != utils::latmus::Parsed::run) return;
  expect(!options.contexts.empty() && options.period_ns >= 1'000 &&
         options.period_ns <= 1'000'000'000);
  expect(options.priority >= 1 && options.priority <= 99 && options.cells >= 1 &&
         options.cells <= 1'000 && options.timeout_s >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr void (*kTargets[])(std::string_view) = {
      cpu_list, numbers,  spec,      configuration, attributes,
      address,  duration, gpio_line, order,         latmus_options};
  if (size == 0) return 0;
  const std::string text{reinterpret_cast<const char*>(data + 1), size - 1};
  kTargets[data[0] % std::size(kTargets)](text);
  return 0;
}
