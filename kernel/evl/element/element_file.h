// SPDX-License-Identifier: GPL-2.0
// An open file on an element: what kapi keeps as the object of such a file, whether it came from a
// public node or from a clone. In-band, but for element().
#ifndef EVL_ELEMENT_ELEMENT_FILE_H
#define EVL_ELEMENT_ELEMENT_FILE_H

#include "base/in_place.h"
#include "element/element.h"
#include "file/oob_file.h"

namespace evl {

// Holds one reference on the element, from open to release.
class ElementFile final : Immovable {
 public:
  // Handlers of kapi_file_ops, for classes that have nothing to add. open: `device_object` is the
  // Element. Errors: ESTALE the element is dying, ENOMEM. release: waits for oob users; a class
  // whose threads sleep on the element wakes them first. Both sleep.
  static int open(void* device_object, kapi_file* file, void** object);
  static void begin_release(void* object) noexcept;  // Before it wakes them: OF3.
  static void release(void* object, kapi_file* file);

  /// For a file that does not exist yet: takes the reference, then bind() when there is the file,
  /// else abandon(). Errors: as open().
  [[nodiscard]] static Result<ElementFile*> prepare(Element& element,
                                                    const InbandStage& inband) noexcept;
  void bind(kapi_file* file) noexcept { file_.build(file); }
  void abandon(const InbandStage& inband) noexcept;  // Deletes itself.

  // The element behind the object of a file, known by its handlers to be of class T. Any stage.
  template <typename T>
  [[nodiscard]] static T& element(void* object) noexcept {
    return static_cast<T&>(static_cast<ElementFile*>(object)->element_);
  }

  explicit ElementFile(Element& element) noexcept : element_{element} {}

 private:
  InPlace<OobFile> file_;
  Element& element_;
};

}  // namespace evl

#endif  // EVL_ELEMENT_ELEMENT_FILE_H
