package group

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// member is one consumer of a group.
type member struct {
	id           string
	instance     *string // group.instance.id of a static member
	client, host string
	joined       uint64 // order of joining

	rebalanceTimeout time.Duration
	sessionTimeout   time.Duration
	protocols        []kmsg.JoinGroupRequestProtocol // in order of preference
	assignment       []byte

	fresh bool // has not got an answer to its first join yet
	join  func(*kmsg.JoinGroupResponse)
	sync  func(*kmsg.SyncGroupResponse)
}

// satisfied says whether the member needs no heartbeat: it waits for us. One
// that has not learnt its id yet may be gone without our knowing.
func (m *member) satisfied() bool {
	return !m.fresh && (m.join != nil || m.sync != nil)
}

// metadata is what the member said for a protocol.
func (m *member) metadata(protocol string) []byte {
	for _, p := range m.protocols {
		if p.Name == protocol {
			return p.Metadata
		}
	}
	return []byte{}
}

// matches says whether protocols are those that the member has.
func (m *member) matches(protocols []kmsg.JoinGroupRequestProtocol) bool {
	if len(protocols) != len(m.protocols) {
		return false
	}
	for i, p := range protocols {
		if p.Name != m.protocols[i].Name || !bytes.Equal(p.Metadata, m.protocols[i].Metadata) {
			return false
		}
	}
	return true
}

// vote is the first of the member's protocols that all members have.
func (m *member) vote(common map[string]bool) string {
	for _, p := range m.protocols {
		if common[p.Name] {
			return p.Name
		}
	}
	return ""
}

// protocolBytes is what protocols take of memory.
func protocolBytes(protocols []kmsg.JoinGroupRequestProtocol) int {
	n := 0
	for _, p := range protocols {
		n += len(p.Name) + len(p.Metadata)
	}
	return n
}

// distinct drops protocols that an earlier one has the name of.
func distinct(protocols []kmsg.JoinGroupRequestProtocol) []kmsg.JoinGroupRequestProtocol {
	seen := make(map[string]bool, len(protocols))
	var kept []kmsg.JoinGroupRequestProtocol
	for _, p := range protocols {
		if !seen[p.Name] {
			seen[p.Name] = true
			kept = append(kept, kmsg.JoinGroupRequestProtocol{Name: p.Name, Metadata: bytes.Clone(p.Metadata)})
		}
	}
	return kept
}

// maxName is how much of a client's names we keep, in bytes.
const maxName = 255

func cut(s string) string {
	if len(s) <= maxName {
		return strings.Clone(s)
	}
	n := maxName
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
