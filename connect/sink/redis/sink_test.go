package redis_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	sink "github.com/pabal-dev/pabal/connect/sink/redis"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// everywhere runs a test with the Redis in process and with a real one, under a prefix of its own.
func everywhere(t *testing.T, test func(t *testing.T, uri, prefix string)) {
	t.Run("in process", func(t *testing.T) { test(t, "redis://"+miniredis.RunT(t).Addr(), "t") })
	t.Run("real", func(t *testing.T) { test(t, testenv.Redis(t), testenv.Prefix(t)) })
}

func open(t testing.TB, uri string, settings ...string) plugin.SinkTask {
	t.Helper()
	c := map[string]string{"redis.uri": uri}
	for i := 0; i < len(settings); i += 2 {
		c[settings[i]] = settings[i+1]
	}
	values, problems := sink.Sink{}.Info().Config.Parse(c)
	if problems = append(problems, (sink.Sink{}).Check(t.Context(), values, problems)...); len(problems) > 0 {
		t.Fatal(problems)
	}
	task, err := sink.Sink{}.Open(t.Context(), plugin.SinkContext{Common: plugin.Common{Config: values}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := task.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return task
}

// client looks at what is there, and removes what begins with the prefix in the end.
func client(t testing.TB, uri, prefix string) *goredis.Client {
	t.Helper()
	o, err := goredis.ParseURL(uri)
	if err != nil {
		t.Fatal(err)
	}
	c := goredis.NewClient(o)
	t.Cleanup(func() {
		keys, _ := c.Keys(context.Background(), prefix+"*").Result()
		if len(keys) > 0 {
			c.Del(context.Background(), keys...)
		}
		_ = c.Close()
	})
	return c
}

// records of lines of a key, which is text, and a value in JSON; "-" is none.
func records(t testing.TB, topic string, lines ...string) (all []plugin.SinkRecord) {
	t.Helper()
	for i, line := range lines {
		key, value, _ := strings.Cut(line, " ")
		r := plugin.SinkRecord{Record: plugin.Record{Topic: topic}, From: plugin.TopicPartition{Topic: topic}, Offset: int64(i)}
		if key != "-" {
			r.Key = key
		}
		if value != "-" {
			var err error
			if r.ValueSchema, r.Value, err = (&converter.JSON{}).Decode("", []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, r)
	}
	return all
}

// dump is all that is under a prefix, as text.
func dump(t testing.TB, c *goredis.Client, prefix string) string {
	t.Helper()
	ctx := t.Context()
	keys, err := c.Keys(ctx, prefix+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	var lines []string
	for _, key := range keys {
		var v any
		switch kind := c.Type(ctx, key).Val(); kind {
		case "hash":
			all := c.HGetAll(ctx, key).Val()
			var fields []string
			for _, name := range slices.Sorted(maps.Keys(all)) {
				fields = append(fields, name+"="+all[name])
			}
			v = fields
		case "string":
			v = c.Get(ctx, key).Val()
		case "list":
			v = c.LRange(ctx, key, 0, -1).Val()
		case "set":
			v = slices.Sorted(slices.Values(c.SMembers(ctx, key).Val()))
		case "zset":
			v = c.ZRangeWithScores(ctx, key, 0, -1).Val()
		case "stream":
			var entries []any
			for _, m := range c.XRange(ctx, key, "-", "+").Val() {
				entries = append(entries, m.Values)
			}
			v = entries
		}
		lines = append(lines, fmt.Sprint(strings.TrimPrefix(key, prefix), " ", v))
	}
	return strings.Join(lines, "\n")
}

func TestCommands(t *testing.T) {
	everywhere(t, func(t *testing.T, uri, prefix string) {
		for name, c := range map[string]struct {
			settings    []string
			lines       []string
			once, twice string // what is there after one and after two times
		}{
			"hash": {[]string{"redis.type", "HASH"}, []string{`1 {"a":1,"b":"x","c":null}`, `2 {"a":true}`, `1 {"a":1.5,"b":null,"d":[1,{"e":2}]}`, `3 {"a":1}`, `3 -`},
				"x:1 [a=1.5 d=[1, {e=2}]]\nx:2 [a=true]", ""},
			"older name": {[]string{"redis.command", "HSET", "redis.separator", "/"}, []string{`1 {"a":1}`}, "x/1 [a=1]", ""},
			"string":     {[]string{"redis.type", "STRING"}, []string{`1 "a"`, `2 "b"`, `1 "c"`, `2 -`}, "x:1 c", ""},
			"stream":     {[]string{"redis.type", "STREAM"}, []string{`1 {"a":1,"b":null}`, `2 -`, `3 {"a":2}`}, "x [map[a:1] map[a:2]]", "x [map[a:1] map[a:2] map[a:1] map[a:2]]"},
			"list":       {[]string{"redis.type", "LIST"}, []string{`a 1`, `b 1`, `c 1`, `b -`}, "x [c a]", "x [c a c a]"},
			"rpush":      {[]string{"redis.command", "RPUSH"}, []string{`a 1`, `b 1`}, "x [a b]", "x [a b a b]"},
			"set":        {[]string{"redis.type", "SET", "redis.multiexec", "true"}, []string{`a 1`, `b 1`, `a 1`, `c 1`, `c -`}, "x [a b]", ""},
			"zset":       {[]string{"redis.type", "ZSET"}, []string{`a 2`, `b 1.5`, `a 3`, `c 1`, `c -`}, "x [{1.5 b} {3 a}]", ""},
			"del":        {[]string{"redis.command", "DEL"}, []string{`a 2`}, "", ""},
		} {
			t.Run(name, func(t *testing.T) {
				space := prefix + name
				db := client(t, uri, space)
				task := open(t, uri, append([]string{"redis.keyspace", space + "${topic}"}, c.settings...)...)
				if c.twice == "" {
					c.twice = c.once
				}
				for _, want := range []string{c.once, c.twice} {
					if err := task.Put(t.Context(), records(t, "x", c.lines...)); err != nil {
						t.Fatal(err)
					}
					if got := dump(t, db, space); got != want {
						t.Errorf("has\n%s\nwant\n%s", got, want)
					}
				}
			})
		}
	})
}

// TestKeys that are no text.
func TestKeys(t *testing.T) {
	server := miniredis.RunT(t)
	task := open(t, "redis://"+server.Addr(), "redis.type", "STRING", "redis.key", "k", "redis.separator", "|")
	pair := data.StructOf("k", data.Field{Name: "a", Schema: data.Of(data.Int32)}, data.Field{Name: "b", Schema: data.Of(data.String)})
	var all []plugin.SinkRecord
	for _, key := range []any{int64(7), []byte("bytes"), &data.Struct{Schema: pair, Values: []any{int32(1), "x"}}} {
		all = append(all, plugin.SinkRecord{Record: plugin.Record{Key: key, Value: []byte("v")}})
	}
	if err := task.Put(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(server.Keys(), " "); got != "k|1|x k|7 k|bytes" {
		t.Error(got)
	}
	task = open(t, "redis://"+server.Addr(), "redis.type", "STRING", "redis.keyspace", "")
	if err := task.Put(t.Context(), records(t, "t", `alone "v"`)); err != nil || !server.Exists("alone") {
		t.Error(err, server.Keys())
	}
}

// TestRefused: the record that is wrong is named, and those before it are stored.
func TestRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, uri, prefix string) {
		db := client(t, uri, prefix)
		for i, c := range []struct{ kind, good, bad string }{
			{"HASH", `1 {"a":1}`, `- {"a":1}`}, {"HASH", `1 {"a":1}`, `2 "text"`}, {"HASH", `1 {"a":1}`, `other {"a":1}`},
			{"STRING", `1 "a"`, `2 {"a":1}`}, {"ZSET", `a 1`, `b "one"`}, {"STREAM", `1 {"a":1}`, `2 {"a":null}`}, {"SET", `a 1`, `- 1`},
		} {
			space := fmt.Sprint(prefix, "r", i)
			db.Set(t.Context(), space+":other", "of another type", 0)
			task := open(t, uri, "redis.type", c.kind, "redis.keyspace", space)
			err := task.Put(t.Context(), records(t, "x", c.good, c.bad))
			var record *plugin.RecordError
			if !errors.As(err, &record) || record.Index != 1 {
				t.Errorf("%v: %v", c, err)
			}
			if n := db.Exists(t.Context(), space, space+":1").Val(); n != 1 {
				t.Errorf("%v: the one before is not stored", c)
			}
		}
	})
}

func TestReconnect(t *testing.T) {
	server := miniredis.RunT(t)
	task := open(t, "redis://"+server.Addr(), "redis.type", "STRING", "redis.keyspace", "s")
	one := records(t, "x", `1 "a"`)
	if err := task.Put(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if err := task.Put(t.Context(), one); !errors.Is(err, plugin.ErrRetry) {
		t.Errorf("a server that is away: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	server.SetError("LOADING Redis is loading the dataset in memory")
	if err := task.Put(t.Context(), one); !errors.Is(err, plugin.ErrRetry) {
		t.Errorf("a server that starts: %v", err)
	}
	server.SetError("")
	if err := task.Put(t.Context(), one); err != nil {
		t.Error(err)
	}
	server.SetError("NOPERM this user has no permissions")
	var record *plugin.RecordError
	if err := task.Put(t.Context(), one); err == nil || errors.Is(err, plugin.ErrRetry) || errors.As(err, &record) {
		t.Errorf("what does not pass: %v", err)
	}
}

// TestReplicas: there is none, so that a batch is not stored as asked for.
func TestReplicas(t *testing.T) {
	for _, multi := range []string{"false", "true"} {
		uri, prefix := testenv.Redis(t), testenv.Prefix(t)
		client(t, uri, prefix)
		task := open(t, uri, "redis.type", "STRING", "redis.keyspace", prefix, "redis.wait.replicas", "1", "redis.wait.timeout", "10", "redis.multiexec", multi)
		if err := task.Put(t.Context(), records(t, "x", `1 "a"`)); !errors.Is(err, plugin.ErrRetry) || !strings.Contains(err.Error(), "0 of 1") {
			t.Errorf("%v", err)
		}
	}
}

func TestProblems(t *testing.T) {
	for set, want := range map[string]string{
		"redis.uri=http://x":                        "redis.uri",
		"redis.host=127.0.0.1 redis.port=1":         "redis.host",
		"redis.uri=redis://u:secret@127.0.0.1:1":    "redis.uri",
		"redis.type=TIMESERIES":                     "redis.type",
		"redis.type=TREE":                           "redis.type",
		"redis.command=TSADD":                       "redis.command",
		"redis.command=SET redis.type=HASH":         "redis.command",
		"redis.cluster=true":                        "redis.cluster",
		"redis.charset=ISO-8859-1":                  "redis.charset",
		"redis.type=LIST redis.keyspace=":           "redis.keyspace",
		"redis.tls=true redis.cacert=/nowhere":      "redis.cacert",
		"redis.tls=true redis.key.file=/nowhere":    "redis.key.file",
		"redis.json.path.fixed=$.a redis.type=JSON": "redis.json.path.fixed",
	} {
		given := map[string]string{}
		for _, pair := range strings.Fields(set) {
			key, value, _ := strings.Cut(pair, "=")
			given[key] = value
		}
		if given["redis.uri"] == "" && given["redis.host"] == "" {
			given["redis.uri"] = "redis://" + miniredis.RunT(t).Addr()
		}
		values, problems := sink.Sink{}.Info().Config.Parse(given)
		problems = append(problems, (sink.Sink{}).Check(t.Context(), values, problems)...)
		keys := map[string]bool{}
		for _, p := range problems {
			keys[p.Key] = true
			if strings.Contains(p.Message, "secret") {
				t.Errorf("%s shows the password: %s", set, p.Message)
			}
		}
		if got := strings.Join(slices.Sorted(maps.Keys(keys)), " "); got != want {
			t.Errorf("%s: %v, want a problem of %s", set, problems, want)
		}
	}
}
