package redrive

import (
	"context"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// limits are how large a batch each topic takes, where that was asked: franz-go
// refuses by itself what is larger than it was told.
type limits struct {
	mu      sync.Mutex
	byTopic map[string]int32
}

const (
	defaultBatch = 1_000_012 // franz-go's
	minBatch     = 512
	maxBatch     = 64 << 20
)

func (l *limits) of(topic string) int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit, ok := l.byTopic[topic]; ok {
		return limit
	}
	return defaultBatch
}

// learn asks about topics that it does not know; whoever may not read the
// configuration gets the default.
func (l *limits) learn(ctx context.Context, client *kgo.Client, topics []string) {
	l.mu.Lock()
	var unknown []string
	for _, t := range topics {
		if _, ok := l.byTopic[t]; !ok {
			unknown = append(unknown, t)
		}
	}
	l.mu.Unlock()
	if len(unknown) == 0 {
		return
	}
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, unknown...)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byTopic == nil {
		l.byTopic = map[string]int32{}
	}
	for _, c := range configs {
		for _, entry := range c.Configs {
			if n, err := strconv.ParseInt(entry.MaybeValue(), 10, 64); entry.Key == "max.message.bytes" && err == nil {
				l.byTopic[c.Name] = int32(min(max(n, minBatch), maxBatch))
			}
		}
	}
}
