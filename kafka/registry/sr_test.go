package registry_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// TestFranzGo is a life with franz-go's client of schema registries.
func TestFranzGo(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg kafka.Config) {
		s := start(t, registry.Config{Kafka: cfg})
		client, err := sr.NewClient(sr.URLs(s.url))
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		types, err := client.SupportedTypes(ctx)
		must(err)
		if !slices.Contains(types, sr.TypeAvro) || !slices.Contains(types, sr.TypeJSON) {
			t.Errorf("types: %v", types)
		}
		address, err := client.CreateSchema(ctx, "address", sr.Schema{Schema: `{"type":"record","name":"Address","fields":[{"name":"city","type":"string"}]}`})
		must(err)
		user := sr.Schema{
			Schema:     `{"type":"record","name":"User","fields":[{"name":"home","type":"Address"}]}`,
			References: []sr.SchemaReference{{Name: "Address", Subject: "address", Version: address.Version}},
		}
		made, err := client.CreateSchema(ctx, "user", user)
		must(err)
		if made.ID != 2 || made.Version != 1 || len(made.References) != 1 {
			t.Errorf("made: %+v", made)
		}
		found, err := client.LookupSchema(ctx, "user", user)
		must(err)
		if found.ID != made.ID {
			t.Errorf("found: %+v", found)
		}
		using, err := client.SchemaReferences(ctx, "address", 1)
		must(err)
		if len(using) != 1 || using[0].Subject != "user" {
			t.Errorf("references: %+v", using)
		}
		byGUID, err := client.SchemaByGUID(ctx, guid(t, s))
		must(err)
		if byGUID.Schema.Schema == "" {
			t.Errorf("by GUID: %+v", byGUID)
		}
		usages, err := client.SchemaUsagesByID(ctx, made.ID)
		must(err)
		if len(usages) != 1 {
			t.Errorf("usages: %+v", usages)
		}
		checked, err := client.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), "user", -1, sr.Schema{Schema: `"int"`})
		must(err)
		if checked.Is || len(checked.Messages) == 0 {
			t.Errorf("checked: %+v", checked)
		}
		for _, r := range client.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull}, "user", sr.GlobalSubject) {
			must(r.Err)
			if r.Level != sr.CompatFull {
				t.Errorf("set: %+v", r)
			}
		}
		for _, r := range client.Compatibility(ctx, "user", sr.GlobalSubject) {
			must(r.Err)
			if r.Level != sr.CompatFull {
				t.Errorf("level: %+v", r)
			}
		}
		for _, r := range client.ResetCompatibility(ctx, "user") {
			must(r.Err)
		}
		for _, r := range client.SetMode(ctx, sr.ModeReadOnly, "user") {
			must(r.Err)
		}
		_, err = client.CreateSchema(ctx, "user", sr.Schema{Schema: `"int"`})
		refused(t, err, sr.ErrOperationNotPermitted)
		for _, r := range client.ResetMode(ctx, "user") {
			must(r.Err)
		}
		_, err = client.DeleteSubject(ctx, "address", sr.SoftDelete)
		refused(t, err, sr.ErrReferenceExists)
		_, err = client.CreateSchema(ctx, "user", sr.Schema{Schema: `"int"`})
		refused(t, err, sr.ErrIncompatibleSchema)
		all, err := client.AllSchemas(ctx)
		must(err)
		if len(all) != 2 {
			t.Errorf("all: %+v", all)
		}
		must(client.DeleteSchema(ctx, "user", 1, sr.SoftDelete))
		must(client.DeleteSchema(ctx, "user", 1, sr.HardDelete))
		_, err = client.DeleteSubject(ctx, "address", sr.SoftDelete)
		must(err)
		_, err = client.SchemaByVersion(ctx, "address", 1)
		refused(t, err, sr.ErrSubjectNotFound)
		subjects, err := client.Subjects(sr.WithParams(ctx, sr.ShowDeleted))
		must(err)
		if !slices.Equal(subjects, []string{"address"}) {
			t.Errorf("subjects: %v", subjects)
		}
		for _, r := range client.SetMode(sr.WithParams(ctx, sr.Force), sr.ModeImport) {
			must(r.Err)
		}
		imported, err := client.CreateSchemaWithIDAndVersion(ctx, "moved", sr.Schema{Schema: `"long"`}, 50, 7)
		must(err)
		if imported.ID != 50 || imported.Version != 7 {
			t.Errorf("imported: %+v", imported)
		}
	})
}

func guid(t *testing.T, s *server) string {
	t.Helper()
	var body struct{ GUID string }
	_, text := s.ask(t, "GET", "/subjects/user/versions/1", "")
	unmarshal(t, text, &body)
	return body.GUID
}

func refused(t *testing.T, err error, want *sr.Error) {
	t.Helper()
	var answer *sr.ResponseError
	if !errors.As(err, &answer) || answer.ErrorCode != want.Code {
		t.Errorf("the error is %v, want %d", err, want.Code)
	}
}
