package registry_test

import (
	"path/filepath"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// TestConfluentJava runs Confluent's client for Java as it is.
func TestConfluentJava(t *testing.T) {
	jars := testenv.ConfluentJava(t)
	onBoth(t, func(t *testing.T, cfg kafka.Config) {
		s := start(t, registry.Config{Kafka: cfg})
		out := testenv.Output(t, "java", "-cp", filepath.Join(jars, "*"), "testdata/Confluent.java", s.url)
		want := `register=1
again=1
second=2
version=2
id=1
by id=true
latest=2
versions=[1, 2]
subjects of an id=[orders-value]
compatible=false
refused=409 409
none=404 40401
update=FULL
level=FULL
mode=READWRITE
deleted=1
subject=[2]
for ever=[1, 2]
subjects=[]
`
		if out != want {
			t.Errorf("got\n%swant\n%s", out, want)
		}
	})
}
