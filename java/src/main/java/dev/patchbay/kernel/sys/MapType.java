// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libbpf.LibBpf;
import java.util.Locale;

/** {@code enum bpf_map_type}, as far as it is used here. */
public enum MapType {
  HASH(LibBpf.BPF_MAP_TYPE_HASH()),
  ARRAY(LibBpf.BPF_MAP_TYPE_ARRAY()),
  PERCPU_ARRAY(LibBpf.BPF_MAP_TYPE_PERCPU_ARRAY()),
  PERCPU_HASH(LibBpf.BPF_MAP_TYPE_PERCPU_HASH()),
  LRU_HASH(LibBpf.BPF_MAP_TYPE_LRU_HASH()),
  ARRAY_OF_MAPS(LibBpf.BPF_MAP_TYPE_ARRAY_OF_MAPS()),
  SK_STORAGE(LibBpf.BPF_MAP_TYPE_SK_STORAGE()),
  RINGBUF(LibBpf.BPF_MAP_TYPE_RINGBUF());

  private final int number;

  MapType(int number) {
    this.number = number;
  }

  public int number() {
    return number;
  }

  /** {@code hash}, {@code lru_hash}; {@code type 7} for a number that is not listed. */
  public static String name(int number) {
    for (MapType type : values()) {
      if (type.number == number) {
        return type.name().toLowerCase(Locale.ROOT);
      }
    }
    return "type " + number;
  }
}
