package connect

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/config"
)

// Settings of a connector's own clients, producer.override.* and consumer.override.*: those whose
// meaning is kept. Others are refused by name: to leave one out in silence may lose records.
var producerSettings = map[string]func(string) (kgo.Opt, error){
	"compression.type": compression,
	"linger.ms": func(text string) (kgo.Opt, error) {
		return number(text, func(n int64) kgo.Opt { return kgo.ProducerLinger(time.Duration(n) * time.Millisecond) })
	},
	"max.request.size": func(text string) (kgo.Opt, error) {
		return number(text, func(n int64) kgo.Opt { return kgo.ProducerBatchMaxBytes(int32(n)) })
	},
	"batch.size": func(text string) (kgo.Opt, error) { // batches are as large as what waits, anyway
		return number(text, func(int64) kgo.Opt { return nil })
	},
	"buffer.memory": func(text string) (kgo.Opt, error) {
		return number(text, func(n int64) kgo.Opt { return kgo.MaxBufferedBytes(int(n)) })
	},
	"acks": only("all", "-1"),
}

var consumerSettings = map[string]func(string) (kgo.Opt, error){
	"auto.offset.reset": func(text string) (kgo.Opt, error) {
		switch text {
		case "earliest":
			return kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), nil
		case "latest":
			return kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), nil
		}
		return nil, fmt.Errorf("it is earliest or latest")
	},
	"isolation.level": func(text string) (kgo.Opt, error) {
		switch text {
		case "read_committed":
			return kgo.FetchIsolationLevel(kgo.ReadCommitted()), nil
		case "read_uncommitted":
			return kgo.FetchIsolationLevel(kgo.ReadUncommitted()), nil
		}
		return nil, fmt.Errorf("it is read_committed or read_uncommitted")
	},
	"max.poll.records": func(text string) (kgo.Opt, error) { return number(text, func(int64) kgo.Opt { return nil }) },
	"group.id":         func(string) (kgo.Opt, error) { return nil, nil },
	"fetch.max.bytes": func(text string) (kgo.Opt, error) {
		return number(text, func(n int64) kgo.Opt { return kgo.FetchMaxBytes(int32(n)) })
	},
	"fetch.max.wait.ms": func(text string) (kgo.Opt, error) {
		return number(text, func(n int64) kgo.Opt { return kgo.FetchMaxWait(time.Duration(n) * time.Millisecond) })
	},
	"fetch.min.bytes": func(text string) (kgo.Opt, error) {
		return number(text, func(n int64) kgo.Opt { return kgo.FetchMinBytes(int32(n)) })
	},
}

const (
	producerPrefix = "producer.override."
	consumerPrefix = "consumer.override."
)

func producerOverrides(given map[string]string) ([]kgo.Opt, error) {
	return overrides(given, producerPrefix, producerSettings)
}

func consumerOverrides(given map[string]string) ([]kgo.Opt, error) {
	return overrides(given, consumerPrefix, consumerSettings)
}

func overrides(given map[string]string, prefix string, known map[string]func(string) (kgo.Opt, error)) ([]kgo.Opt, error) {
	var out []kgo.Opt
	for _, key := range slices.Sorted(maps.Keys(given)) {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		read, ok := known[name]
		if !ok {
			return nil, config.Problem{Key: key, Message: fmt.Sprintf("Invalid value for configuration %s: this setting of clients is not supported; these are: %s",
				key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))}
		}
		opt, err := read(strings.TrimSpace(given[key]))
		if err != nil {
			return nil, config.Problem{Key: key, Message: fmt.Sprintf("Invalid value %s for configuration %s: %v", given[key], key, err)}
		}
		if opt != nil {
			out = append(out, opt)
		}
	}
	return out, nil
}

func number(text string, opt func(int64) kgo.Opt) (kgo.Opt, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("it is a whole number from 0 on")
	}
	return opt(n), nil
}

func only(all ...string) func(string) (kgo.Opt, error) {
	return func(text string) (kgo.Opt, error) {
		if !slices.Contains(all, text) {
			return nil, fmt.Errorf("it is always %s", all[0])
		}
		return nil, nil
	}
}

func compression(text string) (kgo.Opt, error) {
	switch text {
	case "none":
		return kgo.ProducerBatchCompression(kgo.NoCompression()), nil
	case "gzip":
		return kgo.ProducerBatchCompression(kgo.GzipCompression()), nil
	case "snappy":
		return kgo.ProducerBatchCompression(kgo.SnappyCompression()), nil
	case "lz4":
		return kgo.ProducerBatchCompression(kgo.Lz4Compression()), nil
	case "zstd":
		return kgo.ProducerBatchCompression(kgo.ZstdCompression()), nil
	}
	return nil, fmt.Errorf("it is none, gzip, snappy, lz4 or zstd")
}
