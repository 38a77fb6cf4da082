package outbox_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// raise lets a topic take messages of 8 MiB.
func raise(t *testing.T, client *kgo.Client, topic string) {
	t.Helper()
	limit := "8388608"
	change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}
	if _, err := kadm.NewClient(client).AlterTopicConfigs(bounded(t), change, topic); err != nil {
		t.Fatal(err)
	}
}
