// Package pgoutput reads the messages of PostgreSQL's logical replication, as the output plugin
// pgoutput writes them in versions 1 and 2 of its protocol without streaming
// (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html).
package pgoutput

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind is a message's first byte.
type Kind byte

// Kinds of messages.
const (
	BeginKind    Kind = 'B'
	MessageKind  Kind = 'M'
	CommitKind   Kind = 'C'
	OriginKind   Kind = 'O'
	RelationKind Kind = 'R'
	TypeKind     Kind = 'Y'
	InsertKind   Kind = 'I'
	UpdateKind   Kind = 'U'
	DeleteKind   Kind = 'D'
	TruncateKind Kind = 'T'
)

// LSN is a place in the write-ahead log.
type LSN uint64

// String is how PostgreSQL writes it, such as "16/B374D848".
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint32(l>>32), uint32(l)) }

// ParseLSN reads what String writes.
func ParseLSN(text string) (LSN, error) {
	first, second, _ := strings.Cut(text, "/")
	high, err1 := strconv.ParseUint(first, 16, 32)
	low, err2 := strconv.ParseUint(second, 16, 32)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("%q is no log position such as 16/B374D848", text)
	}
	return LSN(high<<32 | low), nil
}

// ErrMessage is wrapped by errors about bytes that are no message.
var ErrMessage = errors.New("pgoutput: not a message of logical replication")

// Message is one of them; which fields are set tells its Kind. What Decode returns is good
// until the next call, with the bytes it was made of.
type Message struct {
	Kind     Kind
	Begin    Begin
	Commit   Commit
	Origin   Origin
	Relation *Relation // one of its own, to be kept
	Type     Type
	Change   Change
	Truncate Truncate
	Logical  Logical
}

// Begin of a transaction.
type Begin struct {
	// Final is the LSN of the commit.
	Final LSN
	Time  time.Time
	XID   uint32
}

// Commit of a transaction.
type Commit struct {
	At, End LSN
	Time    time.Time
}

// Origin says that the transaction was replicated from elsewhere.
type Origin struct {
	Commit LSN
	Name   string
}

// Relation describes a table, before its first change and after it was altered.
type Relation struct {
	ID              uint32
	Namespace, Name string
	// Identity is REPLICA IDENTITY: d default, n nothing, f full, i an index.
	Identity byte
	Columns  []Column
}

// Column of a table.
type Column struct {
	// Key says that it is part of the replica identity.
	Key  bool
	Name string
	Type uint32 // oid
	// Modifier is the type's, such as a length or precision; -1 is none.
	Modifier int32
}

// Type is of a column whose type is not built in.
type Type struct {
	ID              uint32
	Namespace, Name string
}

// Change of a row.
type Change struct {
	Relation uint32
	// Old is the row before an update or a delete; OldKind says whether that is only its key
	// ('K'), the whole of it ('O') or not sent (0).
	OldKind byte
	Old     []Value
	// New is the row after an insert or update.
	New []Value
}

// Value of a column.
type Value struct {
	// Kind is 'n' null, 'u' unchanged and stored elsewhere (TOAST), 't' text, 'b' binary.
	Kind byte
	Data []byte
}

// Truncate of tables in one statement.
type Truncate struct {
	Cascade, RestartIdentity bool
	Relations                []uint32
}

// Logical is what pg_logical_emit_message wrote.
type Logical struct {
	Transactional bool
	At            LSN
	Prefix        string
	Content       []byte
}
