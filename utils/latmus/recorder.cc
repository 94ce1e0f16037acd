// SPDX-License-Identifier: MIT

#include "latmus/recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "latmus/control.h"

namespace utils::latmus {

int Recorder::start(int fd) {
  fd_ = fd;
  pthread_t thread{};
  const int status =
      start_thread(&thread, {"lat-recorder", run_->cpu, 0}, [this] { read_records(); });
  if (status == 0) thread_ = thread;
  return status;
}

void Recorder::stop() {
  if (!thread_) return;
  finish_thread(*thread_);
  thread_.reset();
  fcntl(fd_, F_SETFL, O_NONBLOCK);
  Record record;
  while (read(fd_, &record, sizeof(record)) == sizeof(record)) take(record);
}

void Recorder::read_records() {
  while (!control().stopping) {
    Record record;
    const ssize_t got = read(fd_, &record, sizeof(record));
    if (got == static_cast<ssize_t>(sizeof(record))) {
      take(record);
    } else if (got >= 0 || errno != EINTR) {
      fprintf(stderr, "latmus: reading the samples failed: %m\n");
      request_end(Ending::failed);
      return;
    }
  }
}

void Recorder::check(const Record& record) {
  if (!consistent(record)) request_end(Ending::inconsistent);
  if (options_.limit_ns && record.samples > 0 && record.max_lat > *options_.limit_ns) {
    freezer_->freeze();
    request_end(Ending::latency_limit);
  }
}

void Recorder::take(const Record& record) {
  run_->add(record);
  run_->inband_switches = control().inband_switches;
  if (!options_.quiet()) {
    const auto elapsed = static_cast<int64_t>(run_->seconds.size());
    const bool again = options_.lines > 0 && printed_ % options_.lines == 0;
    if (printed_ == 0 || again) {
      fputs(title_line(*run_, elapsed).c_str(), lines_);
      fputs(header_line().c_str(), lines_);
    }
    ++printed_;
    fputs(data_line(*run_, record).c_str(), lines_);
    fflush(lines_);
  }
  check(record);
  const bool enough =
      options_.timeout_s > 0 && static_cast<int64_t>(run_->seconds.size()) >= options_.timeout_s;
  if (enough) request_end(Ending::timeout);
}

void Recorder::take_partial(const Record& record) {
  run_->inband_switches = control().inband_switches;
  if (record.samples == 0) return;
  run_->add(record);
  check(record);
}

}  // namespace utils::latmus
