package postgres

import (
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// eventColumns are events as one array per column.
type eventColumns struct {
	slice      []int32
	entityType []string
	id         []string
	seqNr      []int64
	notBefore  []*time.Time
	serializer []int32
	manifest   []string
	payload    [][]byte
	writer     []string
	// after is set for the first event of each write.
	after []*int64

	// These are nil, which stands for NULL in every row, until an event has some.
	tags           []string
	metaSerializer []int32
	metaManifest   []string
	meta           [][]byte
}

func newEventColumns(n int) *eventColumns {
	return &eventColumns{slice: make([]int32, 0, n), entityType: make([]string, 0, n), id: make([]string, 0, n),
		seqNr: make([]int64, 0, n), notBefore: make([]*time.Time, 0, n), serializer: make([]int32, 0, n),
		manifest: make([]string, 0, n), payload: make([][]byte, 0, n), writer: make([]string, 0, n), after: make([]*int64, 0, n)}
}

func (c *eventColumns) args() []any {
	return []any{c.slice, c.entityType, c.id, c.seqNr, c.notBefore, c.serializer, c.manifest, c.payload, c.writer,
		c.tags, c.metaSerializer, c.metaManifest, c.meta, c.after}
}

// continues says that there is one event, and that it is not its entity's first.
func (c *eventColumns) continues() bool { return len(c.id) == 1 && *c.after[0] > 0 }

// only are the values of the one event there is.
func (c *eventColumns) only() []any {
	args := []any{c.slice[0], c.entityType[0], c.id[0], *c.after[0], c.notBefore[0], c.serializer[0], c.manifest[0], c.payload[0],
		c.writer[0], nil, nil, nil, nil}
	if c.tags != nil {
		args[9] = c.tags[0]
	}
	if c.meta != nil {
		args[10], args[11], args[12] = c.metaSerializer[0], c.metaManifest[0], c.meta[0]
	}
	return args
}

// add appends a write's events, which have one time.
func (c *eventColumns) add(w *journal.Write, notBefore *time.Time) {
	slice, entityType := int32(journal.SliceOf(w.PersistenceID)), journal.EntityType(w.PersistenceID)
	after := &w.After
	for i := range w.Events {
		e := &w.Events[i]
		c.addTags(e.Tags)
		c.addMeta(e.Metadata)
		c.slice, c.entityType, c.id = append(c.slice, slice), append(c.entityType, entityType), append(c.id, w.PersistenceID)
		c.seqNr, c.notBefore = append(c.seqNr, w.After+1+int64(i)), append(c.notBefore, notBefore)
		c.serializer, c.manifest = append(c.serializer, e.Payload.Serializer), append(c.manifest, e.Payload.Manifest)
		c.payload, c.writer = append(c.payload, notNull(e.Payload.Data)), append(c.writer, w.Writer)
		c.after, after = append(c.after, after), nil
	}
}

// addTags comes before the row's other columns.
func (c *eventColumns) addTags(tags []string) {
	if len(tags) == 0 && c.tags == nil {
		return
	}
	if c.tags == nil {
		c.tags = make([]string, len(c.id), cap(c.id))
	}
	c.tags = append(c.tags, tagsLiteral(tags))
}

func (c *eventColumns) addMeta(m *journal.Payload) {
	if m == nil && c.meta == nil {
		return
	}
	if c.meta == nil {
		n, room := len(c.id), cap(c.id)
		c.metaSerializer, c.metaManifest, c.meta = make([]int32, n, room), make([]string, n, room), make([][]byte, n, room)
	}
	if m == nil {
		m = &journal.Payload{}
	} else {
		m = &journal.Payload{Serializer: m.Serializer, Manifest: m.Manifest, Data: notNull(m.Data)}
	}
	c.metaSerializer, c.metaManifest = append(c.metaSerializer, m.Serializer), append(c.metaManifest, m.Manifest)
	c.meta = append(c.meta, m.Data)
}

// notNull: nil would be NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// tagsLiteral is "" where there are none, for NULL as Pekko has it.
func tagsLiteral(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	return arrayLiteral(tags, appendQuoted)
}
