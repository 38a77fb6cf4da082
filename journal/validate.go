package journal

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/outbox"
)

// MaxWriteBytes is what one write, state or snapshot may have, see Write.Size.
const MaxWriteBytes = 256 << 20

// maxColumnChars is what Pekko's columns hold.
const maxColumnChars = 255

// Validate reports what a backend would refuse, and fail a whole group for.
func (w Write) Validate() error {
	if err := CheckPersistenceID(w.PersistenceID); err != nil {
		return err
	}
	switch size := w.Size(); {
	case len(w.Events) == 0:
		return fmt.Errorf("journal: the write to %s has no events", w.PersistenceID)
	case w.After < 0 || w.After > math.MaxInt64-int64(len(w.Events)):
		return fmt.Errorf("journal: the write to %s comes after %d, which is no sequence number", w.PersistenceID, w.After)
	case size > MaxWriteBytes:
		return fmt.Errorf("journal: the write to %s has %d bytes, %d are allowed", w.PersistenceID, size, MaxWriteBytes)
	}
	if err := checkColumn("the writer", w.Writer); err != nil {
		return fmt.Errorf("journal: the write to %s: %w", w.PersistenceID, err)
	}
	for i, e := range w.Events {
		if err := errors.Join(checkPayload(e.Payload, e.Metadata), checkTags(e.Tags)); err != nil {
			return fmt.Errorf("journal: event %d of %s: %w", w.After+1+int64(i), w.PersistenceID, err)
		}
	}
	return checkMessages(w.PersistenceID, w.Messages)
}

// Validate is as that of Write.
func (w StateWrite) Validate() error {
	if err := CheckPersistenceID(w.PersistenceID); err != nil {
		return err
	}
	err := errors.Join(checkPayload(w.Payload, nil), checkTags(w.Tags))
	switch {
	case err != nil:
	case w.Revision < 1:
		err = errors.New("revisions begin at 1")
	case !w.Delete && w.Payload.IsDeletedState():
		err = errors.New("no bytes of serializer 0 are the mark of a deleted state")
	}
	if err != nil {
		return fmt.Errorf("journal: state %d of %s: %w", w.Revision, w.PersistenceID, err)
	}
	return checkMessages(w.PersistenceID, w.Messages)
}

// IsDeletedState says whether it is what a state that was deleted leaves in its
// row.
func (p Payload) IsDeletedState() bool {
	return p.Serializer == 0 && p.Manifest == "" && len(p.Data) == 0
}

// Validate is as that of Write.
func (s Snapshot) Validate() error {
	if err := CheckPersistenceID(s.PersistenceID); err != nil {
		return err
	}
	if err := checkPayload(s.Payload, s.Metadata); err != nil {
		return fmt.Errorf("journal: snapshot %d of %s: %w", s.SeqNr, s.PersistenceID, err)
	}
	return nil
}

func checkPayload(p Payload, metadata *Payload) error {
	size := len(p.Data)
	if metadata != nil {
		size += len(metadata.Data)
		if err := checkColumn("the metadata's manifest", metadata.Manifest); err != nil {
			return err
		}
	}
	if size > MaxWriteBytes {
		return fmt.Errorf("it has %d bytes, %d are allowed", size, MaxWriteBytes)
	}
	return checkColumn("the manifest", p.Manifest)
}

func checkTags(tags []string) error {
	for _, tag := range tags {
		if err := checkText("a tag", tag); err != nil {
			return err
		}
	}
	return nil
}

func checkColumn(what, s string) error {
	if len(s) > maxColumnChars && utf8.RuneCountInString(s) > maxColumnChars {
		return fmt.Errorf("%s %.40q… has %d characters, %d are allowed", what, s, utf8.RuneCountInString(s), maxColumnChars)
	}
	return checkText(what, s)
}

func checkText(what, s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("%s %q is not UTF-8 without zero bytes", what, s)
	}
	return nil
}

func checkMessages(persistenceID string, messages []outbox.Message) error {
	for _, m := range messages {
		err := checkText("the topic", m.Topic)
		if err == nil && m.Topic == "" {
			err = errors.New("the topic is missing")
		}
		if err == nil {
			err = m.Validate()
		}
		if err != nil {
			return fmt.Errorf("journal: message %s of %s: %w", m.ID, persistenceID, err)
		}
	}
	return nil
}
