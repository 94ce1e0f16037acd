// SPDX-License-Identifier: MIT
//
// World: what may come out of the steps on proxies, and what has to reach their targets.

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "program/world.h"

namespace sim {
namespace {

// What is said of `bytes` before anything moves; 0: nothing.
long refusal(const ProxySpec& spec, bool has_direction, std::uint32_t bytes) {
  if (!has_direction) return -ENXIO;
  if (bytes > spec.bytes) return -EFBIG;
  return bytes % spec.granularity != 0 ? -EINVAL : 0;
}

}  // namespace

void World::write_proxy(unsigned number, const Step& step) {
  ProxyModel& proxy = proxies_[step.a];
  const ProxySpec& spec = program_.proxies[step.a];
  look_at_target(proxy);
  std::array<std::uint8_t, Fifo::kMaxBytes> storage{};
  const std::span<std::uint8_t> buffer{storage.data(), step.value};
  const unsigned call =
      proxy.output.begin_write(buffer, {.thread = number, .blocks = !spec.nonblock});
  const long result = step.op == Op::proxy_send
                          ? oob_write(proxy.user.fd, buffer.data(), buffer.size())
                          : inband_write(proxy.user.fd, buffer.data(), buffer.size());
  const long refused = refusal(spec, spec.input == 0, step.value);
  const bool broken = result == -EINTR && threads_[number].disturbed;
  const char* const wrong = proxy.output.end_write(call, refused != 0 ? -EFBIG : result);
  if (wrong != nullptr) expect(false, wrong, number, step, result);
  expect(broken || (refused != 0 ? result == refused : result >= 0 || result == -EAGAIN),
         "unexpected", number, step, result);
}

// Who does not want to wait gets 0 when there is nothing yet.
void World::read_proxy(unsigned number, const Step& step) {
  ProxyModel& proxy = proxies_[step.a];
  const ProxySpec& spec = program_.proxies[step.a];
  std::array<std::uint8_t, Fifo::kMaxBytes> storage{};
  const std::span<std::uint8_t> buffer{storage.data(), step.value};
  const unsigned call =
      proxy.input.begin(step.value, spec.nonblock ? Source::Waits::no : Source::Waits::yes);
  const long result = step.op == Op::proxy_receive
                          ? oob_read(proxy.user.fd, buffer.data(), buffer.size())
                          : inband_read(proxy.user.fd, buffer.data(), buffer.size());
  const long refused = refusal(spec, spec.input != 0, step.value);
  const bool broken = result == -EINTR && threads_[number].disturbed;
  const char* const wrong = proxy.input.end(call, buffer, result);
  if (wrong != nullptr) expect(false, wrong, number, step, result);
  expect(broken || (refused != 0 ? result == refused : result >= 0), "unexpected", number, step,
         result);
}

// The worker gets there when it does: what is there was sent, whole and in order.
void World::look_at_target(ProxyModel& proxy) {
  std::string& there = lx().file_at(proxy.user.target_fd)->received;
  while (!there.empty()) {
    std::array<std::uint8_t, Fifo::kMaxSize> piece{};
    const std::size_t bytes = std::min<std::size_t>(there.size(), proxy.output.size());
    std::copy_n(there.begin(), bytes, piece.begin());
    there.erase(0, bytes);
    const unsigned call =
        proxy.output.begin_read(static_cast<unsigned>(bytes), {.thread = 0, .blocks = false});
    const char* const wrong = proxy.output.end_read(call, piece, static_cast<long>(bytes));
    if (wrong != nullptr) Machine::current().fail("the target of a proxy got %s", wrong);
  }
}

// Of all that was accepted nothing stays behind.
void World::wait_for_targets() {
  for (unsigned i = 0; i < program_.proxies.size(); ++i) {
    for (unsigned round = 0;; ++round) {
      look_at_target(proxies_[i]);
      if (proxies_[i].output.fill() == 0) break;
      if (round > 300) Machine::current().fail("what was written stays in proxy %u", i);
      lx().call(35, [] {
        lx().sleep_inband(10'000);
        return 0L;
      });
    }
  }
}

}  // namespace sim
