// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/**
 * What compilation must know about the node it compiles for.
 *
 * @param nodeName the node's name in lower case
 */
public record NodeFacts(String nodeName) {}
