// SPDX-License-Identifier: MIT
// Takes the records of a run as they come: adds them up, prints them, and ends the run when it has
// enough of them, or when a latency is too high.
#ifndef UTILS_LATMUS_RECORDER_H
#define UTILS_LATMUS_RECORDER_H

#include <pthread.h>

#include <cstdio>
#include <optional>

#include "latmus/freezer.h"
#include "latmus/options.h"
#include "latmus/report.h"

namespace utils::latmus {

// start() and stop() run on the main thread. take() runs on one thread at a time: on the recorder's
// own between the two, on the main one otherwise.
class Recorder final {
 public:
  Recorder(const Options& options, FILE* lines, TraceFreezer* freezer, Run* run)
      : options_{options}, lines_{lines}, freezer_{freezer}, run_{run} {}

  /// Reads records from the file until stop(). It is an xbuf or a pipe: records come whole.
  [[nodiscard]] int start(int fd);
  /// Ends the thread, and takes what is still in the file.
  void stop();

  void take(const Record& record);
  /// The last record, which is shorter than a second.
  void take_partial(const Record& record);

 private:
  void read_records();
  void check(const Record& record);

  const Options& options_;
  FILE* lines_;
  TraceFreezer* freezer_;
  Run* run_;
  int fd_{-1};
  int printed_{0};
  std::optional<pthread_t> thread_;
};

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_RECORDER_H
