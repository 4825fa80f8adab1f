// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.BackendCodec;
import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.abi.FrontendValueCodec;
import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.reconcile.RowReader;
import dev.patchbay.reconcile.StoreException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A sum over all rows, by which it shows at small cost whether somebody else has changed any: of
 * each entry of {@code frontends}, in whatever order they come, and of each block of the two
 * arrays, as far as they are used. What the store writes itself is taken out of the sum before, and
 * put in afterwards, from the maps as they are and not as they should be; so what somebody did in
 * the same place still shows.
 *
 * <p>Sums are 64 bits wide and made for accidents, not against somebody who looks for a collision.
 *
 * <p>One thread at a time, the one that writes.
 */
final class RowSums implements RowReader.Imprint {
  /** How many frontends are read in a step. */
  private static final int FRONTENDS_AT_ONCE = 4096;

  /** Bytes of a block of an array, and how many of them are read in a step. */
  static final int BLOCK = 16 << 10;

  private static final int BLOCKS_AT_ONCE = 64;

  /** With more frontends in a write, to follow it costs more than to begin anew. */
  private static final int FRONTENDS_FOLLOWED = 64;

  /** The same in blocks of an array. */
  private static final int BLOCKS_FOLLOWED = 64;

  /** How often to try to read all rows without a write in between. */
  private static final int ATTEMPTS = 4;

  private static final int KEY_INTS = FrontendKeyCodec.SIZE / Integer.BYTES;
  private static final int VALUE_INTS = FrontendValueCodec.SIZE / Integer.BYTES;

  private final BpfMap frontends;
  private final Blocks services;
  private final Blocks backends;
  private final CRC32C crc = new CRC32C();
  private int[] keys = {};
  private int[] values = {};

  private enum Trust {
    /** Nothing is known. */
    NONE,
    /** The sum is of rows that nobody has compared with what they should be. */
    PROVISIONAL,
    /** The sum is of rows that are as they should be. */
    FULL
  }

  private Trust trust = Trust.NONE;
  private long expected;

  // The look under way.
  private boolean looking;
  private boolean disturbed;
  private int attempts;
  private BpfMap.Scan scan;
  private boolean scanning;
  private int block;
  private long sum;

  /**
   * Looks at nothing yet.
   *
   * @param services all of that map
   * @param backends all of that map
   */
  RowSums(BpfMap frontends, MemorySegment services, MemorySegment backends) {
    this.frontends = frontends;
    this.services = new Blocks(services, ServiceCodec.SIZE, 0x5ca1ab1eL);
    this.backends = new Blocks(backends, BackendCodec.SIZE, 0xbadc0ffeL);
    scan = frontends.scan();
  }

  /** An array map; the blocks up to the last that was ever used count. */
  final class Blocks {
    private final ByteBuffer bytes;
    private final int entry;
    private final long salt;
    private int used;

    private Blocks(MemorySegment memory, int entry, long salt) {
      bytes = memory.asReadOnly().asByteBuffer();
      this.entry = entry;
      this.salt = salt;
    }

    private int end(int entries) {
      return Math.toIntExact(((long) entries * entry + BLOCK - 1) / BLOCK);
    }

    private long sum(int from, int to) {
      long all = 0;
      for (int at = from; at < to; at++) {
        int start = at * BLOCK;
        bytes.limit(Math.min(bytes.capacity(), start + BLOCK)).position(start);
        crc.reset();
        crc.update(bytes);
        all += mix(mix(salt, at), crc.getValue());
      }
      return all;
    }

    /** Entries below this one are in use, or will be. */
    void use(int entries) {
      int end = end(entries);
      if (end > used) {
        if (trust != Trust.NONE) {
          expected += sum(used, end);
        }
        used = end;
        disturbed = true;
      }
    }

    /** Some entries are about to be written. */
    void before(int base, int count) {
      disturbed = true;
      if (count == 0) {
        return;
      }
      use(base + count);
      if (trust != Trust.NONE) {
        int from = base * entry / BLOCK;
        int to = end(base + count);
        if (to - from > BLOCKS_FOLLOWED) {
          forget();
        } else {
          expected -= sum(from, to);
        }
      }
    }

    /** They have been written. */
    void after(int base, int count) {
      if (count > 0 && trust != Trust.NONE) {
        expected += sum(base * entry / BLOCK, end(base + count));
      }
    }
  }

  Blocks services() {
    return services;
  }

  Blocks backends() {
    return backends;
  }

  /** Some frontends are about to be written or deleted. */
  void before(MemorySegment encodedKeys, int count) {
    disturbed = true;
    if (trust == Trust.NONE) {
      return;
    }
    if (count > FRONTENDS_FOLLOWED) {
      forget();
      return;
    }
    follow(encodedKeys, count, -1);
  }

  /** They have been, as far as that went well. */
  void after(MemorySegment encodedKeys, int count) {
    if (trust != Trust.NONE) {
      follow(encodedKeys, count, 1);
    }
  }

  private void follow(MemorySegment encodedKeys, int count, int sign) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(FrontendValueCodec.SIZE, Integer.BYTES);
      for (int i = 0; i < count; i++) {
        MemorySegment key =
            encodedKeys.asSlice((long) i * FrontendKeyCodec.SIZE, FrontendKeyCodec.SIZE);
        if (frontends.find(key, value)) {
          expected += sign * sum(key, value, 1);
        }
      }
    } catch (KernelException cannotBeRead) {
      forget();
    }
  }

  private long sum(MemorySegment encodedKeys, MemorySegment encodedValues, int count) {
    if (keys.length < count * KEY_INTS) {
      keys = new int[count * KEY_INTS];
      values = new int[count * VALUE_INTS];
    }
    MemorySegment.copy(encodedKeys, ValueLayout.JAVA_INT, 0, keys, 0, count * KEY_INTS);
    MemorySegment.copy(encodedValues, ValueLayout.JAVA_INT, 0, values, 0, count * VALUE_INTS);
    long all = 0;
    int k = 0;
    int v = 0;
    for (int i = 0; i < count; i++) {
      long one = 0;
      for (int end = k + KEY_INTS; k < end; k++) {
        one = mix(one, keys[k]);
      }
      for (int end = v + VALUE_INTS; v < end; v++) {
        one = mix(one, values[v]);
      }
      all += one;
    }
    return all;
  }

  private static long mix(long sum, long next) {
    long mixed = (sum ^ next) * 0x9e37_79b9_7f4a_7c15L;
    return mixed ^ mixed >>> 29;
  }

  @Override
  public Look look() throws StoreException {
    if (!looking || disturbed) {
      if (looking && ++attempts >= ATTEMPTS) {
        forget();
        looking = false;
        attempts = 0;
        return Look.UNKNOWN;
      }
      begin();
    }
    if (step()) {
      return Look.MORE;
    }
    looking = false;
    attempts = 0;
    if (trust == Trust.FULL && sum == expected) {
      return Look.SAME;
    }
    trust = Trust.PROVISIONAL;
    expected = sum;
    return Look.UNKNOWN;
  }

  private void begin() {
    looking = true;
    disturbed = false;
    scan = frontends.scan();
    scanning = true;
    block = 0;
    sum = 0;
  }

  /** Reads some rows; returns whether there are more. */
  private boolean step() throws StoreException {
    if (scanning) {
      try {
        scanning =
            scan.next(
                FRONTENDS_AT_ONCE,
                (readKeys, readValues, count) -> sum += sum(readKeys, readValues, count));
        return true;
      } catch (KernelException refused) {
        looking = false;
        forget();
        throw KernelStore.translate(refused);
      }
    }
    // The blocks of both arrays in a row.
    int all = services.used + backends.used;
    int to = Math.min(all, block + BLOCKS_AT_ONCE);
    sum += services.sum(Math.min(block, services.used), Math.min(to, services.used));
    sum += backends.sum(Math.max(0, block - services.used), Math.max(0, to - services.used));
    block = to;
    return block < all;
  }

  @Override
  public void confirm() {
    if (trust == Trust.PROVISIONAL) {
      trust = Trust.FULL;
    }
  }

  @Override
  public void forget() {
    trust = Trust.NONE;
  }
}
