// SPDX-License-Identifier: MIT

#include "common/json.h"

#include <cassert>

#include "common/text.h"

namespace utils {

void JsonWriter::separate() {
  if (named_) {
    named_ = false;
    return;
  }
  assert(open_.empty() || open_.back() == '[');
  if (!first_) text_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  open_.push_back(bracket);
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  assert(!open_.empty() && open_.back() == (bracket == '}' ? '{' : '[') && !named_);
  text_ += bracket;
  open_.pop_back();
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::name(std::string_view text) {
  assert(!open_.empty() && open_.back() == '{' && !named_);
  if (!first_) text_ += ',';
  first_ = false;
  quote(text);
  text_ += ':';
  named_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  quote(text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  std::string digits = format("%.3f", number);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return plain(digits);
}

JsonWriter& JsonWriter::plain(std::string_view text) {
  separate();
  text_ += text;
  return *this;
}

void JsonWriter::quote(std::string_view text) {
  text_ += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (c == '\n') {
      text_ += "\\n";
    } else if (c == '\t') {
      text_ += "\\t";
    } else if (byte < 0x20) {
      text_ += format("\\u%04x", byte);
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

const std::string& JsonWriter::text() const {
  assert(open_.empty());
  return text_;
}

}  // namespace utils
