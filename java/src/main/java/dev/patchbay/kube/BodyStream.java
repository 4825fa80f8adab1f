// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import io.fabric8.kubernetes.client.http.AsyncBody;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer as a stream that does not wait for ever.
 *
 * <p>Threads: one reads; {@link #close} may be called by any, and ends a read that waits.
 */
final class BodyStream extends InputStream implements AsyncBody.Consumer<List<ByteBuffer>> {
  /** How many pieces may be on their way: enough to keep the connection busy while one is read. */
  private static final int AHEAD = 4;

  /** A piece of the body, or its end. */
  private sealed interface Part {
    record Piece(List<ByteBuffer> buffers) implements Part {}

    /**
     * @param failure null if the body is complete
     */
    record End(@Nullable Throwable failure) implements Part {}
  }

  private final BlockingQueue<Part> parts = new LinkedBlockingQueue<>();
  private final long idleNanos;
  private List<ByteBuffer> piece = List.of();
  private int next;
  private Part.@Nullable End end;
  private volatile @Nullable AsyncBody body;
  private volatile boolean closed;
  private boolean gzip;
  private boolean proto;

  /**
   * @param idle how long to wait for the next piece
   */
  BodyStream(Duration idle) {
    this.idleNanos = idle.toNanos();
  }

  /** On a thread of the HTTP client. */
  @Override
  public void consume(List<ByteBuffer> buffers, AsyncBody from) {
    parts.add(new Part.Piece(buffers));
  }

  /** Begins to read the body of the answer that this is the consumer of. */
  void begin(AsyncBody of, boolean compressed, boolean inProto) {
    body = of;
    gzip = compressed;
    proto = inProto;
    CompletableFuture<?> _ =
        of.done().whenComplete((_, failure) -> parts.add(new Part.End(failure)));
    for (int i = 0; i < AHEAD; i++) {
      of.consume();
    }
    if (closed) {
      of.cancel();
    }
  }

  /** Whether it is a {@link ProtoObject}, and not JSON. */
  boolean isProto() {
    return proto;
  }

  /** This stream, or what decompresses it if it is compressed; closing either is enough. */
  InputStream decoded() throws IOException {
    return gzip ? new GZIPInputStream(this, 32 * 1024) : this;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    while (next == piece.size() || !piece.get(next).hasRemaining()) {
      if (next < piece.size()) {
        next++;
      } else if (!take()) {
        return -1;
      }
    }
    ByteBuffer buffer = piece.get(next);
    int count = Math.min(length, buffer.remaining());
    buffer.get(into, offset, count);
    return count;
  }

  /** Waits for the next piece; false at the end of the body. */
  private boolean take() throws IOException {
    if (end == null) {
      Part part = await();
      switch (part) {
        case Part.Piece taken -> {
          piece = taken.buffers;
          next = 0;
          AsyncBody from = body;
          if (from != null) {
            from.consume();
          }
          return true;
        }
        case Part.End reached -> end = reached;
      }
    }
    if (closed) {
      throw new IOException("closed");
    }
    Throwable failure = end.failure;
    if (failure != null) {
      throw new IOException(Failures.describe(failure), failure);
    }
    return false;
  }

  private Part await() throws IOException {
    Part part;
    try {
      part = parts.poll(idleNanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    if (part == null) {
      close();
      throw new IOException(
          "nothing heard for " + TimeUnit.NANOSECONDS.toMillis(idleNanos) / 1000.0 + " s");
    }
    return part;
  }

  @Override
  public void close() {
    closed = true;
    AsyncBody from = body;
    if (from != null) {
      from.cancel();
    }
    parts.add(new Part.End(null));
  }
}
