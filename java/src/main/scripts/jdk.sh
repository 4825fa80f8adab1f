# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# shellcheck disable=SC2034 # JDK_HOME and JDK_ADVICE are for the scripts that source this file
#
# Finds a JDK 25. Sourced by bin/patchbay and by the build, so that both mean the same one.
#
#   find_jdk PROGRAM...   sets JDK_HOME to the first home that is version 25 and has bin/PROGRAM for
#                         each PROGRAM; returns 1 and leaves JDK_HOME empty if there is none
#
# Order: JAVA_HOME, the distribution's directory, the usual places of vendors' packages and archives,
# whatever `java` on PATH belongs to. A home is recognised by its `release` file: starting a JVM to ask
# for its version would cost more than everything else the launcher does.

is_jdk_25() { # HOME PROGRAM...
  jdk_home=$1
  shift
  [ -r "$jdk_home/release" ] || return 1
  for jdk_program; do
    [ -x "$jdk_home/bin/$jdk_program" ] || return 1
  done
  while IFS= read -r jdk_line; do
    case $jdk_line in
      'JAVA_VERSION="25"' | 'JAVA_VERSION="25'[.+-]*'"') return 0 ;;
    esac
  done <"$jdk_home/release"
  return 1
}

find_jdk() { # PROGRAM...
  JDK_HOME=
  for jdk_candidate in \
    "${JAVA_HOME:-/nonexistent}" \
    /usr/lib/jvm/* \
    /opt/* /opt/java/* \
    /usr/java/* \
    /usr/local/* /usr/local/lib/jvm/* \
    "${HOME:-/nonexistent}"/.sdkman/candidates/java/* \
    "${HOME:-/nonexistent}"/.jdks/*; do
    if is_jdk_25 "$jdk_candidate" "$@"; then
      JDK_HOME=$jdk_candidate
      return 0
    fi
  done
  if jdk_java=$(command -v java) && jdk_java=$(readlink -f "$jdk_java"); then
    jdk_candidate=${jdk_java%/bin/java}
    if is_jdk_25 "$jdk_candidate" "$@"; then
      JDK_HOME=$jdk_candidate
      return 0
    fi
  fi
  return 1
}

# What to do when there is none, for the end of an error message.
JDK_ADVICE='install openjdk-25-jre-headless (openjdk-25-jdk-headless to build) where the distribution has it, as Debian 13 does, or a JDK 25 from a vendor (Eclipse Temurin 25, for example), and set JAVA_HOME if that is in an unusual place'
