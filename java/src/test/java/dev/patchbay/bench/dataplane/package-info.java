// SPDX-License-Identifier: Apache-2.0
/** What connections, requests and datagrams cost: each peer in namespaces of its own. */
@NullMarked
package dev.patchbay.bench.dataplane;

import org.jspecify.annotations.NullMarked;
