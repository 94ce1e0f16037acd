// SPDX-License-Identifier: MIT
// Response to an external event: a monitor board raises our input line and waits for our output
// line. Out-of-band through the core's GPIO support, or in-band on any kernel.

#include <arpa/inet.h>
#include <evl/evl.h>
#include <evl/syscall.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/system.h"
#include "common/text.h"
#include "latmus/control.h"
#include "latmus/gpio_monitor.h"
#include "latmus/runs.h"

namespace utils::latmus {
namespace {

// Asks for out-of-band operation of a line; the kernel's header has it where GPIOLIB_OOB is built
// in.
#ifndef GPIOHANDLE_REQUEST_OOB
#define GPIOHANDLE_REQUEST_OOB (1UL << 5)
#endif

constexpr int kSilenceMs = 5000;

int complain(const char* what) {
  const int error = errno;
  fprintf(stderr, "latmus: %s: %s\n", what, strerror(error));
  errno = error;  // The caller may tell causes apart by it.
  return kFailed;
}

class GpioRun final {
 public:
  explicit GpioRun(const Task& task) : task_{task}, oob_{task.run.context == Context::oob_gpio} {}
  ~GpioRun() {
    for (const int fd : {event_, output_, monitor_}) {
      if (fd >= 0) close(fd);
    }
  }
  GpioRun(const GpioRun&) = delete;
  GpioRun& operator=(const GpioRun&) = delete;

  int measure();

 private:
  int open_input();
  int open_output();
  int connect_monitor();
  int open_lines();
  void respond();
  bool answer();
  void listen();
  bool receive(void* buffer, size_t bytes) const;
  bool request(uint32_t period_us) const;
  void collect_rest();

  const Task& task_;
  const bool oob_;
  int event_{-1};
  int output_{-1};
  int monitor_{-1};
};

int open_chip(const std::string& path) {
  return open(path.c_str(), O_RDWR | O_CLOEXEC);
}

int GpioRun::open_input() {
  const GpioLine& line = *task_.options.gpio_in;
  const int chip = open_chip(line.chip);
  if (chip < 0) return complain(line.chip.c_str());
  gpioevent_request request{};
  request.lineoffset = static_cast<uint32_t>(line.pin);
  request.handleflags = GPIOHANDLE_REQUEST_INPUT | (oob_ ? GPIOHANDLE_REQUEST_OOB : 0);
  request.eventflags =
      line.edge == Edge::rising ? GPIOEVENT_REQUEST_RISING_EDGE : GPIOEVENT_REQUEST_FALLING_EDGE;
  strncpy(request.consumer_label, "latmon-pulse", sizeof(request.consumer_label) - 1);
  const int status = ioctl(chip, GPIO_GET_LINEEVENT_IOCTL, &request);
  const int error = errno;
  close(chip);
  errno = error;
  if (status < 0) return complain("the input line");
  event_ = request.fd;
  return kDone;
}

int GpioRun::open_output() {
  const GpioLine& line = *task_.options.gpio_out;
  const int chip = open_chip(line.chip);
  if (chip < 0) return complain(line.chip.c_str());
  gpiohandle_request request{};
  request.lineoffsets[0] = static_cast<uint32_t>(line.pin);
  request.lines = 1;
  request.flags = GPIOHANDLE_REQUEST_OUTPUT | (oob_ ? GPIOHANDLE_REQUEST_OOB : 0);
  request.default_values[0] = 1;
  strncpy(request.consumer_label, "latmon-ack", sizeof(request.consumer_label) - 1);
  const int status = ioctl(chip, GPIO_GET_LINEHANDLE_IOCTL, &request);
  const int error = errno;
  close(chip);
  errno = error;
  if (status < 0) return complain("the output line");
  output_ = request.fd;
  return kDone;
}

int GpioRun::open_lines() {
  int status = open_input();
  if (status == kDone) status = open_output();
  if (status == kDone || !oob_ || (errno != EINVAL && errno != EOPNOTSUPP)) return status;
  fputs(
      "latmus: no kernel support: out-of-band lines need CONFIG_GPIOLIB_OOB and a controller that "
      "can be used with interrupts off. -z measures in-band.\n",
      stderr);
  return kNoSupport;
}

int GpioRun::connect_monitor() {
  const auto address = MonitorAddress::parse(task_.options.gpio_host);
  if (!address) {
    fprintf(stderr, "latmus: not an address: '%s'\n", task_.options.gpio_host.c_str());
    return kWrongUse;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed =
      getaddrinfo(address->host.c_str(), std::to_string(address->port).c_str(), &hints, &found);
  if (failed != 0) {
    fprintf(stderr, "latmus: %s: %s\n", address->host.c_str(), gai_strerror(failed));
    return kFailed;
  }
  int error = 0;
  for (const addrinfo* one = found; one != nullptr && monitor_ < 0; one = one->ai_next) {
    const int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) == 0) {
      monitor_ = fd;
      break;
    }
    error = errno;
    if (fd >= 0) close(fd);
  }
  freeaddrinfo(found);
  errno = error;
  if (monitor_ < 0) return complain("the monitor cannot be reached");
  const int yes = 1;
  setsockopt(monitor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return kDone;
}

bool GpioRun::request(uint32_t period_us) const {
  const auto bytes = monitor_request(period_us, task_.options.cells);
  return send(monitor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

// False: nothing came for too long, or the connection is gone.
bool GpioRun::receive(void* buffer, size_t bytes) const {
  auto* at = static_cast<std::byte*>(buffer);
  const std::byte* const start = at;
  while (bytes > 0) {
    pollfd wait{.fd = monitor_, .events = POLLIN, .revents = 0};
    const int ready = poll(&wait, 1, kSilenceMs);
    // Half a record would put all that follows out of step.
    if (ready < 0 && errno == EINTR && (!control().stopping || at != start)) continue;
    if (ready <= 0) return false;
    const ssize_t got = recv(monitor_, at, bytes, 0);
    if (got <= 0) return false;
    at += got;
    bytes -= static_cast<size_t>(got);
  }
  return true;
}

// One round: output up, wait for the edge, output down, which is the answer.
bool GpioRun::answer() {
  gpiohandle_data value{};
  gpioevent_data event{};
  const auto put = [&](uint8_t level) {
    value.values[0] = level;
    return oob_ ? oob_ioctl(output_, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &value)
                : ioctl(output_, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &value);
  };
  if (put(1) < 0) return false;
  const ssize_t got =
      oob_ ? oob_read(event_, &event, sizeof(event)) : read(event_, &event, sizeof(event));
  return got == static_cast<ssize_t>(sizeof(event)) && put(0) == 0;
}

void GpioRun::respond() {
  int self = 0;
  if (oob_) {
    self = evl_attach_thread(EVL_CLONE_PUBLIC, "gpio-responder:%d", getpid());
    if (self >= 0) (void)!evl_set_thread_mode(self, EVL_T_WOSS | EVL_T_HMSIG, nullptr);
  }
  bool good = self >= 0;
  while (good && !control().stopping) good = answer() || errno == EINTR;
  if (!control().stopping) {
    fprintf(stderr, "latmus: the responder stopped: %s\n", strerror(self < 0 ? -self : errno));
    request_end(Ending::failed);
  }
  if (oob_ && self >= 0) evl_detach_self();
}

void GpioRun::listen() {
  std::array<std::byte, kMonitorRecordBytes> bytes{};
  while (!control().stopping) {
    if (receive(bytes.data(), bytes.size())) {
      task_.recorder.take(monitor_record(bytes));
    } else if (!control().stopping) {
      fputs("latmus: the monitor is silent, or gone\n", stderr);
      request_end(Ending::failed);
      return;
    }
  }
}

// What the monitor sends after it was stopped: the last record, one of zeros, the cells.
void GpioRun::collect_rest() {
  control().stopping = false;
  std::array<std::byte, kMonitorRecordBytes> bytes{};
  Record record{};
  do {
    if (!receive(bytes.data(), bytes.size())) return;
    record = monitor_record(bytes);
    if (!ends_records(record)) task_.recorder.take_partial(record);
  } while (!ends_records(record));
  std::vector<std::byte> cells(size_t{task_.options.cells} * 4);
  if (receive(cells.data(), cells.size())) task_.run.histogram.assign(monitor_cells(cells));
}

int GpioRun::measure() {
  if (oob_) {
    const int status = evl_init();
    if (status == -ENOSYS || status == -ENOEXEC) return kNoSupport;
    if (status < 0) {
      errno = -status;
      return complain("the core does not take this process");
    }
  } else if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
    return complain("memory cannot be locked");
  }
  if (const int status = open_lines(); status != kDone) return status;
  if (const int status = connect_monitor(); status != kDone) return status;

  Run& run = task_.run;
  pthread_t responder{};
  pthread_t listener{};
  int status =
      start_thread(&responder, {"lat-responder", run.cpu, run.priority}, [this] { respond(); });
  if (status < 0) {
    errno = -status;
    return complain("a real-time thread does not start");
  }
  if (!request(static_cast<uint32_t>(run.period_ns / 1000))) request_end(Ending::failed);
  status = start_thread(&listener, {"lat-listener", run.cpu, 0}, [this] { listen(); });
  if (status < 0) request_end(Ending::failed);
  run.ending = wait_for_end(longest_wait_s(task_.options.timeout_s));
  if (status == 0) finish_thread(listener);
  finish_thread(responder);
  if (run.ending != Ending::failed && request(0)) collect_rest();
  return run.ending == Ending::failed ? kFailed : kDone;
}

}  // namespace

int measure_gpio(const Task& task) {
  return GpioRun{task}.measure();
}

}  // namespace utils::latmus
