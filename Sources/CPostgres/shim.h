#pragma once

#include <libpq-fe.h>
#include <postgres_ext.h>

// Character macros that Swift does not import.
static const int cpostgres_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int cpostgres_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int cpostgres_diag_detail = PG_DIAG_MESSAGE_DETAIL;
static const int cpostgres_diag_hint = PG_DIAG_MESSAGE_HINT;
static const int cpostgres_diag_position = PG_DIAG_STATEMENT_POSITION;
static const int cpostgres_diag_context = PG_DIAG_CONTEXT;
static const int cpostgres_diag_constraint = PG_DIAG_CONSTRAINT_NAME;
static const int cpostgres_diag_table = PG_DIAG_TABLE_NAME;
static const int cpostgres_diag_column = PG_DIAG_COLUMN_NAME;
