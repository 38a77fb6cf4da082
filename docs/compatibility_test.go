package docs_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var update = flag.Bool("update", false, "write the table of what the broker serves")

const (
	compatibility = "docs/compatibility.md"
	servedBegin   = "<!-- served: go test ./docs -run TestServedVersions -update -->\n"
	servedEnd     = "<!-- end -->\n"
)

// TestServedVersions holds the page to what the broker offers.
func TestServedVersions(t *testing.T) {
	served := offered(t)
	want := "| key | request | versions |\n|---|---|---|\n"
	for _, k := range served {
		want += fmt.Sprintf("| %d | %s | %s |\n", k.ApiKey, kmsg.NameForKey(k.ApiKey), span(k.MinVersion, k.MaxVersion))
	}
	page := text(t, compatibility)
	before, rest, found := strings.Cut(page, servedBegin)
	table, after, ends := strings.Cut(rest, servedEnd)
	if !found || !ends {
		t.Fatalf("%s has no table of what is served", compatibility)
	}
	if *update {
		if err := os.WriteFile(filepath.Join(root, compatibility), []byte(before+servedBegin+want+servedEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table != want {
		t.Errorf("%s says\n%s\nserved is\n%s\n(-update writes it)", compatibility, table, want)
	}
	_, others, found := strings.Cut(after, "## What is not served")
	if !found {
		t.Fatalf("%s does not say what is not served", compatibility)
	}
	for _, name := range leftOut(served) {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(others) {
			t.Errorf("%s does not say that %s is not served", compatibility, name)
		}
	}
}

// TestTriedVersions: the versions of clients are those that are installed.
func TestTriedVersions(t *testing.T) {
	page := text(t, compatibility)
	for _, from := range []struct{ file, version, row string }{
		{"go.mod", `github.com/twmb/franz-go v(\S+)`, "| franz-go | %s |"},
		{"bench/go.mod", `github.com/IBM/sarama v(\S+)`, "| sarama | %s |"},
		{"scripts/install-test-servers", `kafkajs_version=(\S+)`, "| kafkajs | %s |"},
		{"scripts/install-test-servers", `confluent_python_version=(\S+)`, "| confluent-kafka for Python (librdkafka) | %s |"},
		{"scripts/kafka-tools/pom.xml", `<kafka.version>([^<]+)<`, "| Apache Kafka's command-line tools | %s |"},
		{"internal/kstreams/app/pom.xml", `<kafka.version>([^<]+)<`, "| Kafka Streams: SmokeTestClient and SmokeTestDriver | %s |"},
		{"scripts/debezium/pom.xml", `<debezium.version>([^<]+).Final<`, ", %s | • Debezium's"},
	} {
		found := regexp.MustCompile(from.version).FindStringSubmatch(text(t, from.file))
		if found == nil {
			t.Errorf("%s has no %s", from.file, from.version)
			continue
		}
		if row := fmt.Sprintf(from.row, found[1]); !strings.Contains(page, row) {
			t.Errorf("%s has no %q, as %s has it: run the tests, and note what came of it", compatibility, row, from.file)
		}
	}
}

// offered is what a broker answers to a client that asks for it.
func offered(t *testing.T) []kmsg.ApiVersionsResponseApiKey {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop(context.WithoutCancel(t.Context()))
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.ApiKeys) < 20 {
		t.Fatalf("%d requests are offered only", len(resp.ApiKeys))
	}
	return resp.ApiKeys
}

// leftOut are the requests of the protocol that are not offered.
func leftOut(served []kmsg.ApiVersionsResponseApiKey) (names []string) {
	there := map[int16]bool{}
	for _, k := range served {
		there[k.ApiKey] = true
	}
	for key := range int16(kmsg.MaxKey + 1) {
		if !there[key] && kmsg.RequestForKey(key) != nil {
			names = append(names, kmsg.NameForKey(key))
		}
	}
	return names
}

func span(from, to int16) string {
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d to %d", from, to)
}
