package codec

import (
	"context"

	"github.com/pabal-dev/pabal/streams/serde"
)

// Serde is the codec for package streams: subjects are named after the topics that are read and
// written, and Config.Key does not count. ctx ends what waits for the registry.
func (c *Codec[T]) Serde(ctx context.Context) serde.ForTopic[T] {
	return topicSerde[T]{ctx, c, "", false}
}

type topicSerde[T any] struct {
	ctx   context.Context
	codec *Codec[T]
	topic string
	key   bool
}

func (s topicSerde[T]) ForTopic(topic string, key bool) (serde.Serde[T], error) {
	return topicSerde[T]{s.ctx, s.codec, topic, key}, nil
}

func (s topicSerde[T]) Append(dst []byte, v T) ([]byte, error) {
	return s.codec.appendAny(s.ctx, dst, s.topic, s.key, &v)
}

func (s topicSerde[T]) Decode(b []byte) (T, error) { return s.codec.Decode(s.ctx, b) }
