// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * abi.bpf.c - never loaded. One object per struct and enum of abi.h, so that all of them are in the
 * BTF of abi.bpf.o, where the control plane's layouts are compared with them. What is missing here
 * is not compared: `make check` counts.
 */
#include "abi.h"

enum pb_limit pb_abi_limit;
enum pb_scope pb_abi_scope;
enum pb_frontend_flag pb_abi_frontend_flag;
enum pb_service_flag pb_abi_service_flag;
enum pb_client_kind pb_abi_client_kind;
enum pb_event_kind pb_abi_event_kind;
enum pb_counter pb_abi_counter;

struct pb_frontend_key pb_abi_frontend_key;
struct pb_frontend pb_abi_frontend;
struct pb_service pb_abi_service;
struct pb_backend pb_abi_backend;
struct pb_affinity_key pb_abi_affinity_key;
struct pb_affinity pb_abi_affinity;
struct pb_service_stats pb_abi_service_stats;
struct pb_backend_stats_key pb_abi_backend_stats_key;
struct pb_backend_stats pb_abi_backend_stats;
struct pb_event pb_abi_event;
struct pb_watchers pb_abi_watchers;
struct pb_stale_socket pb_abi_stale_socket;
