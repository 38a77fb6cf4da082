package redis

import (
	"context"
	_ "embed" // for the script
	"errors"
	"fmt"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/streams/sink"
)

// TableConfig of a Table; the zero value is usable.
type TableConfig struct {
	// Hash keeps the table as one hash of the table's name (HSET, HDEL) instead of a key for
	// each row, "<name>:<key>" (SET, DEL). In a Redis cluster it has to be one.
	Hash bool
}

// Table is a copy of a table of stream processing: the sink.Target of a sink. Keys and values
// are the bytes of the records, unless sink.Config.Render makes something else of them. How
// far each partition was applied is in the hash "pabal:sink:{<name>}", and changes in the
// same script as the rows. When that is gone, because Redis was flushed or has forgotten it,
// the sink fills the table again.
type Table struct {
	db     *DB
	name   string
	config TableConfig
}

var _ sink.Target = (*Table)(nil)

// Table with that name. It writes nothing yet.
func (db *DB) Table(name string, config TableConfig) (*Table, error) {
	if name == "" {
		return nil, errors.New("redis: a table needs a name")
	}
	if strings.ContainsAny(name, "{}") {
		return nil, fmt.Errorf("redis: table %q: its name has braces, which mean something else in keys of Redis", name)
	}
	if _, cluster := db.client.(*goredis.ClusterClient); cluster && !config.Hash {
		return nil, fmt.Errorf("redis: table %s: in a cluster its keys are on several nodes, which cannot change in one step; set TableConfig.Hash", name)
	}
	return &Table{db, name, config}, nil
}

// Key of a row; of a table that is a hash its field is the row's key.
func (t *Table) Key(key []byte) string { return t.name + ":" + string(key) }

func (t *Table) positions() string { return "pabal:sink:{" + t.name + "}" }

func field(name, topic string, partition int32) string {
	return name + "/" + topic + "/" + strconv.Itoa(int(partition))
}

// Positions is sink.Target's.
func (t *Table) Positions(ctx context.Context, name, topic string, partitions []int32) (map[int32]int64, error) {
	if len(partitions) == 0 {
		return map[int32]int64{}, nil
	}
	fields := make([]string, len(partitions))
	for i, p := range partitions {
		fields[i] = field(name, topic, p)
	}
	stored, err := t.db.client.HMGet(ctx, t.positions(), fields...).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: positions of table %s: %w", t.name, err)
	}
	out := map[int32]int64{}
	for i, p := range partitions {
		text, ok := stored[i].(string)
		if !ok {
			continue
		}
		if out[p], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("redis: %s: field %s is %q, not a position; delete it to have the table filled again", t.positions(), fields[i], text)
		}
	}
	return out, nil
}

//go:embed table.lua
var tableSource string

var tableScript = goredis.NewScript(tableSource)

// Apply is sink.Target's.
func (t *Table) Apply(ctx context.Context, b sink.Batch) error {
	from := ""
	if b.From != sink.None {
		from = strconv.FormatInt(b.From, 10)
	}
	args := make([]any, 0, 3+3*len(b.Changes))
	args = append(args, field(b.Sink, b.Topic, b.Partition), from, b.To)
	for _, c := range b.Changes {
		args = append(args, t.command(c)...)
	}
	keys := []string{t.positions(), t.name}
	answer, err := tableScript.Run(ctx, t.db.client, keys, args...).Slice()
	if err != nil {
		return fmt.Errorf("redis: write table %s: %w", t.name, err)
	}
	if len(answer) == 0 || fmt.Sprint(answer[0]) != "1" {
		return fmt.Errorf("redis: table %s, partition %d: expected position %q, found %v: %w", t.name, b.Partition, from, answer[1:], sink.ErrMoved)
	}
	return nil
}

func (t *Table) command(c sink.Change) []any {
	switch {
	case t.config.Hash && c.Value == nil:
		return []any{"HDEL", c.Key, ""}
	case t.config.Hash:
		return []any{"HSET", c.Key, c.Value}
	case c.Value == nil:
		return []any{"DEL", t.Key(c.Key), ""}
	}
	return []any{"SET", t.Key(c.Key), c.Value}
}
