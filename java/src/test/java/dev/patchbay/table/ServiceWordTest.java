// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServiceWordTest {
  @Test
  void layout() {
    assertThat(new ServiceWord(0x123456, 0x789a, 0xbcdef0).pack()).isEqualTo(0xbcdef0789a123456L);
    assertThat(ServiceWord.NONE.pack()).isZero();
    assertThat(ServiceWord.unpack(-1L)).isEqualTo(new ServiceWord(0xffffff, 0xffff, 0xffffff));
  }

  @Property
  void everyPatternOfBitsIsAWord(@ForAll long bits) {
    assertThat(ServiceWord.unpack(bits).pack()).isEqualTo(bits);
  }

  @Property
  void everyWordIsReadBack(
      @ForAll @IntRange(max = 0xffffff) int base,
      @ForAll @IntRange(max = 0xffff) int count,
      @ForAll @IntRange(max = 0xffffff) int generation) {
    ServiceWord word = new ServiceWord(base, count, generation);
    assertThat(ServiceWord.unpack(word.pack())).isEqualTo(word);
  }

  @Test
  void generationWrapsAround() {
    assertThat(new ServiceWord(1, 2, 7).next(3, 4)).isEqualTo(new ServiceWord(3, 4, 8));
    assertThat(new ServiceWord(1, 2, 0xffffff).next(3, 4)).isEqualTo(new ServiceWord(3, 4, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 0, 0",
    "16777216, 0, 0",
    "0, -1, 0",
    "0, 65536, 0",
    "0, 0, -1",
    "0, 0, 16777216"
  })
  void partsThatDoNotFitAreRefused(int base, int count, int generation) {
    assertThatThrownBy(() -> new ServiceWord(base, count, generation))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
