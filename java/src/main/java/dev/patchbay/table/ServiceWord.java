// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

/**
 * The 64-bit word that publishes a set of backends; {@code struct pb_service.word}.
 *
 * <pre>
 *   63            40 39          24 23             0
 *  +----------------+--------------+----------------+
 *  |   generation   |    count     |      base      |
 *  +----------------+--------------+----------------+
 * </pre>
 *
 * @param base first backend of the range, 0 to 2^24 - 1
 * @param count number of backends, 0 to 65535
 * @param generation grows by one modulo 2^24 with each publication at this index
 */
public record ServiceWord(int base, int count, int generation) {
  public static final int MAX_COUNT = 0xffff;
  private static final int BASE_BITS = 24;
  private static final int COUNT_BITS = 16;
  private static final int MASK_24 = 0xff_ffff;

  /** What an index that was never used holds. */
  public static final ServiceWord NONE = new ServiceWord(0, 0, 0);

  public ServiceWord {
    if ((base & ~MASK_24) != 0 || (count & ~MAX_COUNT) != 0 || (generation & ~MASK_24) != 0) {
      throw new IllegalArgumentException(
          "service word base=" + base + " count=" + count + " generation=" + generation);
    }
  }

  public static ServiceWord unpack(long bits) {
    return new ServiceWord(
        (int) bits & MASK_24,
        (int) (bits >>> BASE_BITS) & MAX_COUNT,
        (int) (bits >>> (BASE_BITS + COUNT_BITS)) & MASK_24);
  }

  public long pack() {
    return (long) generation << (BASE_BITS + COUNT_BITS) | (long) count << BASE_BITS | base;
  }

  /** The word to publish after this one at the same index. */
  public ServiceWord next(int newBase, int newCount) {
    return new ServiceWord(newBase, newCount, (generation + 1) & MASK_24);
  }
}
