// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A class of tests that share one lab, kept in a field with {@code @AutoClose}. When one fails,
 * what the agents of the lab wrote is printed.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(AgentLogs.class)
@Timeout(value = 120, unit = TimeUnit.SECONDS)
public @interface EndToEnd {}
