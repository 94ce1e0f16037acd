// SPDX-License-Identifier: MIT

#include "hectic/spec.h"

#include <cstdint>

#include "common/text.h"

namespace utils::hectic {
namespace {

constexpr std::string_view kOobFpu = "_ufpp";
constexpr std::string_view kInbandFpu = "_ufps";

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::sleeper:
      return "sleeper";
    case Kind::switcher:
      return "switcher";
    case Kind::rtk:
      return "rtk";
    case Kind::rtup:
      return "rtup";
    case Kind::rtus:
      return "rtus";
    case Kind::rtuo:
      return "rtuo";
  }
  return "?";
}

bool take(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool possible(const Spec& spec) {
  switch (spec.kind) {
    case Kind::rtup:
      return !spec.fpu_inband;
    case Kind::rtus:
      return !spec.fpu_oob;
    case Kind::rtuo:
      return true;
    default:
      return !spec.uses_fpu();
  }
}

}  // namespace

std::optional<Spec> Spec::parse(std::string_view text) {
  Spec spec;
  bool known = false;
  for (const Kind kind : {Kind::rtk, Kind::rtup, Kind::rtus, Kind::rtuo}) {
    if (!known && take(&text, hectic::name_of(kind))) {
      spec.kind = kind;
      known = true;
    }
  }
  if (!known) return std::nullopt;
  for (bool more = true; more;) {
    more = false;
    if (!spec.fpu_oob && take(&text, kOobFpu)) spec.fpu_oob = more = true;
    if (!spec.fpu_inband && take(&text, kInbandFpu)) spec.fpu_inband = more = true;
  }
  const auto cpu = text.empty() ? 0 : to_integer(text, 0, INT16_MAX);
  if (!cpu || !possible(spec)) return std::nullopt;
  spec.cpu = static_cast<int>(*cpu);
  return spec;
}

std::string Spec::name() const {
  std::string text = hectic::name_of(kind);
  if (fpu_oob) text += kOobFpu;
  if (fpu_inband) text += kInbandFpu;
  return text;
}

std::vector<Spec> default_specs(int cpu, bool with_fpu) {
  std::vector<Spec> specs;
  const auto two = [&](Kind kind, bool fpu_oob = false, bool fpu_inband = false) {
    if (!with_fpu && (fpu_oob || fpu_inband)) return;
    specs.insert(specs.end(), 2,
                 {.kind = kind, .fpu_oob = fpu_oob, .fpu_inband = fpu_inband, .cpu = cpu});
  };
  two(Kind::rtk);
  two(Kind::rtup);
  two(Kind::rtup, true, false);
  two(Kind::rtus);
  two(Kind::rtus, false, true);
  two(Kind::rtuo);
  two(Kind::rtuo, true, false);
  two(Kind::rtuo, false, true);
  two(Kind::rtuo, true, true);
  return specs;
}

}  // namespace utils::hectic
