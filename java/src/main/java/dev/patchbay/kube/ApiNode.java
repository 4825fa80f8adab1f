// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.util.ArrayList;
import java.util.List;

/** A Node as the API has it, as far as it is needed. Filled by {@link NodeReader}. */
final class ApiNode {
  final ApiMeta meta = new ApiMeta();
  final List<String> taints = new ArrayList<>(1);
  final List<Address> addresses = new ArrayList<>(2);

  /** {@code status.addresses[]}. */
  static final class Address {
    String type = "";
    String address = "";
  }
}
