package browsertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/lens"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testenv/countservice"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestStreamsJourney goes from the list to an application, sees records pass, reads its
// stores, pauses it and lets it go on.
func TestStreamsJourney(t *testing.T) {
	streamsJourney(t, kafkatest.Start(t).Config)
}

func TestStreamsJourneyOnApacheKafka(t *testing.T) {
	streamsJourney(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t)})
}

func streamsJourney(t *testing.T, cluster kafka.Config) {
	t.Helper()
	browser := chromium(t)
	url := startConsole(t, console.Config{Kafka: cluster, Listen: "127.0.0.1:0", Version: "of a test", Logger: logger(t), Lens: lens.Config{StallAfter: time.Second}})
	countservice.MakeTopics(t, cluster)
	noon := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	for n := range 5 {
		countservice.Visit(t, cluster, fmt.Sprintf("page/%d", n), n+1, noon)
	}
	countservice.Title(t, cluster, "page/1", hostile)
	one := countservice.Start(t, cluster, "one", t.TempDir(), true)
	one.Await("page/4", 5)
	client, err := api.NewClient(api.ClientConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	testenv.Wait(t, "the application to run", stateTimeout, func() bool {
		list, err := client.StreamsApps(t.Context())
		return err == nil && len(list.Items) == 1 && list.Items[0].State == "running" && list.Items[0].Tasks == 2*countservice.Partitions
	})

	name := cluster.Group(countservice.Application)
	b := newTab(t, browser, url)
	b.open("/")
	b.keys("gm")
	b.sees(name, "running")
	b.picture("streams")
	b.press("main td a", name)
	b.sees("Sub-topology 0", "Sub-topology 1", "Global, in every instance", countservice.Minutes, "Stream time")
	b.picture("application")
	countservice.Visit(t, cluster, "page/9", 7, noon)
	b.sees("44 since the start")
	for _, path := range []string{"/streams", "/streams/" + name, "/streams/" + name + "/stores/" + countservice.Pages + "?prefix="} {
		for _, look := range []struct {
			scheme        string
			width, height int64
		}{{"dark", 360, 740}, {"light", 360, 740}, {"dark", 1280, 900}, {"light", 1280, 900}} {
			b.scheme(look.scheme)
			b.size(look.width, look.height)
			b.open(path)
			b.legible(path, look.scheme)
			b.fits(path, look.width)
			b.picture(fmt.Sprintf("application%d-%s-%d", len(path), look.scheme, look.width))
		}
	}

	b.open("/streams/" + name)
	b.press("main td a", countservice.Minutes)
	b.fill("input[name=key]", "page/9")
	b.keys("\r")
	b.sees("2026-03-01 12:01:00", "7")
	b.picture("application-window")

	b.open("/streams/" + name)
	b.press("main button", "Pause it")
	b.sees("stop processing until somebody resumes them")
	b.press("#confirm button", "Do it")
	b.sees("Resume it", "paused")
	b.picture("application-paused")
	b.press("main button", "Resume it")
	b.sees("Pause it")
}
