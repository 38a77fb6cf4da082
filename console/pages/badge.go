package pages

import (
	"cmp"
	"fmt"
	"strings"
)

// badge is a state as a word with an icon and a colour, so that none has to be
// told by its colour alone.
type badge struct{ Word, Tone, Icon string }

// tones of the states of hops, rows, relays, groups, letters, redrives and acts.
// What is not listed is neutral.
var tones = map[string]string{
	"done": "ok", "ok": "ok", "active": "ok", "stable": "ok", "handled": "ok", "completed": "ok",
	"in-flight": "info", "running": "info", "standby": "info", "started": "info", "recovering": "info",
	"connecting": "info", "preparingrebalance": "info", "completingrebalance": "info", "assigning": "info",
	"reconciling": "info", "claiming": "info", "waiting": "info", "redriven": "info", "begun": "info", "planned": "info",
	"stalled": "warn", "failing": "warn", "held": "warn", "paused": "warn", "renewed": "warn",
	"cancelled": "warn", "parked": "warn", "stopped": "warn",
	"restoring": "info", "rebalancing": "info", "starting": "info", "pending_shutdown": "warn", "not_running": "warn",
	"ongoing": "info", "preparecommit": "info", "prepareabort": "warn", "prepareepochfence": "warn",
	"restarting": "info", "unassigned": "warn",
	"error": "bad", "pending_error": "bad",
	"added": "ok", "changed": "info", "caught up": "ok",
	"removed":   "warn",
	"succeeded": "ok", "compensating": "warn", "needs_review": "bad",
	"undoing": "warn", "refused": "warn", "undo_skipped": "warn", "undo_failed": "bad",
	"dead": "bad", "missing": "bad", "failed": "bad", "away": "bad", "open": "bad",
}

var toneIcons = map[string]string{"ok": "check", "info": "clock", "warn": "alert", "bad": "cross", "idle": "question"}

func badgeOf(state any) badge {
	word := fmt.Sprint(state)
	tone := tones[strings.ToLower(word)]
	if tone == "" {
		tone = "idle"
	}
	return badge{Word: word, Tone: tone, Icon: cmp.Or(stateIcons[strings.ToLower(word)], toneIcons[tone])}
}

// stateIcons are of states that the icon of their tone would tell wrong.
var stateIcons = map[string]string{
	"compensating": "undo", "compensated": "undo", "undoing": "undo", "undone": "undo",
	"resolved": "user", "skipped": "next", "undo_skipped": "next",
}
