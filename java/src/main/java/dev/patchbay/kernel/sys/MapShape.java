// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

/**
 * What makes two maps interchangeable.
 *
 * @param type a number of {@code enum bpf_map_type}
 * @param keySize bytes
 * @param valueSize bytes, on one CPU
 * @param maxEntries its capacity; 0 for storage that belongs to sockets
 * @param flags {@code BPF_F_*} that it was created with
 */
public record MapShape(int type, int keySize, int valueSize, int maxEntries, int flags) {
  /** The same with another capacity. */
  public MapShape withEntries(int entries) {
    return new MapShape(type, keySize, valueSize, entries, flags);
  }

  @Override
  public String toString() {
    return String.format(
        "%s, key %d, value %d, max_entries %d, flags 0x%x",
        MapType.name(type), keySize, valueSize, maxEntries, flags);
  }
}
