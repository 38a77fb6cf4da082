-- Where the reader of dead letters is.
CREATE TABLE dead_source (
	cluster  TEXT NOT NULL,
	topic_id TEXT NOT NULL,
	part     INTEGER NOT NULL,
	topic    TEXT NOT NULL,
	next     INTEGER NOT NULL,
	PRIMARY KEY (cluster, topic_id, part)
) WITHOUT ROWID;

-- Kinds of failures; triggers keep the figures.
CREATE TABLE dead_fingerprint (
	id       TEXT PRIMARY KEY,
	cluster  TEXT NOT NULL,
	consumer TEXT NOT NULL,
	outbox   TEXT NOT NULL,
	topic    TEXT NOT NULL,
	error    TEXT NOT NULL,
	first    INTEGER NOT NULL,
	last     INTEGER NOT NULL,
	open     INTEGER NOT NULL DEFAULT 0,
	redriven INTEGER NOT NULL DEFAULT 0,
	handled  INTEGER NOT NULL DEFAULT 0,
	renewed  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX dead_fingerprint_last ON dead_fingerprint (cluster, last, id);

-- Dead letters, without their values. Times are microseconds since 1970.
CREATE TABLE dead_letter (
	seq            INTEGER PRIMARY KEY AUTOINCREMENT,
	cluster        TEXT NOT NULL,
	topic_id       TEXT NOT NULL,
	topic          TEXT NOT NULL,
	part           INTEGER NOT NULL,
	place          INTEGER NOT NULL,
	fingerprint    TEXT NOT NULL,
	consumer       TEXT NOT NULL,
	outbox         TEXT NOT NULL,
	outbox_row     INTEGER NOT NULL,
	from_topic     TEXT NOT NULL,
	from_part      INTEGER NOT NULL,
	from_place     INTEGER NOT NULL,
	error          TEXT NOT NULL,
	attempts       INTEGER NOT NULL,
	at             INTEGER NOT NULL,
	event_id       TEXT NOT NULL,
	type           TEXT NOT NULL,
	source         TEXT NOT NULL,
	key            TEXT NOT NULL,
	event_at       INTEGER NOT NULL,
	correlation    TEXT NOT NULL,
	causation      TEXT NOT NULL,
	content_type   TEXT NOT NULL,
	obstacle       TEXT NOT NULL,
	failures       INTEGER NOT NULL,
	state          TEXT NOT NULL CHECK (state IN ('open', 'redriven', 'handled', 'renewed')),
	-- since is when it came into an open or redriven state, due when its outcome
	-- is asked for next.
	since          INTEGER NOT NULL,
	due            INTEGER NOT NULL
);
CREATE UNIQUE INDEX dead_letter_place ON dead_letter (cluster, topic_id, part, place);
CREATE INDEX dead_letter_name ON dead_letter (topic, part, place);
CREATE INDEX dead_letter_event ON dead_letter (event_id, consumer, outbox);
CREATE INDEX dead_letter_kind ON dead_letter (fingerprint, state, at, seq);
CREATE INDEX dead_letter_latest ON dead_letter (cluster, at, seq);
CREATE INDEX dead_letter_due ON dead_letter (cluster, state, due);

CREATE TRIGGER dead_letter_added AFTER INSERT ON dead_letter BEGIN
	UPDATE dead_fingerprint SET
		open = open + (NEW.state = 'open'), redriven = redriven + (NEW.state = 'redriven'),
		handled = handled + (NEW.state = 'handled'), renewed = renewed + (NEW.state = 'renewed')
	WHERE id = NEW.fingerprint;
END;
CREATE TRIGGER dead_letter_changed AFTER UPDATE OF state ON dead_letter WHEN NEW.state <> OLD.state BEGIN
	UPDATE dead_fingerprint SET
		open = open + (NEW.state = 'open') - (OLD.state = 'open'),
		redriven = redriven + (NEW.state = 'redriven') - (OLD.state = 'redriven'),
		handled = handled + (NEW.state = 'handled') - (OLD.state = 'handled'),
		renewed = renewed + (NEW.state = 'renewed') - (OLD.state = 'renewed')
	WHERE id = NEW.fingerprint;
	-- What a redrive sent has its outcome with its letter.
	UPDATE redrive_letter SET state = NEW.state
	WHERE letter = NEW.seq AND state IN ('sending', 'sent') AND NEW.state IN ('handled', 'renewed');
END;
CREATE TRIGGER dead_letter_removed AFTER DELETE ON dead_letter BEGIN
	UPDATE dead_fingerprint SET
		open = open - (OLD.state = 'open'), redriven = redriven - (OLD.state = 'redriven'),
		handled = handled - (OLD.state = 'handled'), renewed = renewed - (OLD.state = 'renewed')
	WHERE id = OLD.fingerprint;
END;

-- Redrives; what they send is in redrive_letter, from which triggers count. value
-- is there while a redrive of an edited letter runs.
CREATE TABLE redrive_job (
	id         TEXT PRIMARY KEY,
	cluster    TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'stopped')),
	request    TEXT NOT NULL,
	edited     INTEGER NOT NULL,
	value      BLOB,
	user       TEXT NOT NULL,
	role       TEXT NOT NULL,
	client     TEXT NOT NULL,
	begun      INTEGER NOT NULL,
	ended      INTEGER NOT NULL DEFAULT 0,
	problem    TEXT NOT NULL DEFAULT '',
	stop_after INTEGER NOT NULL,
	total      INTEGER NOT NULL,
	sent       INTEGER NOT NULL DEFAULT 0,
	skipped    INTEGER NOT NULL DEFAULT 0,
	handled    INTEGER NOT NULL DEFAULT 0,
	renewed    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX redrive_job_state ON redrive_job (state);

-- pending, sending (intent: perhaps sent), sent (Kafka confirmed it), handled,
-- renewed, skipped.
CREATE TABLE redrive_letter (
	job    TEXT NOT NULL,
	letter INTEGER NOT NULL,
	state  TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'handled', 'renewed', 'skipped')),
	reason TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (job, letter)
) WITHOUT ROWID;
CREATE INDEX redrive_letter_state ON redrive_letter (job, state, letter);
CREATE INDEX redrive_letter_sending ON redrive_letter (job) WHERE state = 'sending';
CREATE INDEX redrive_letter_letter ON redrive_letter (letter);

CREATE TRIGGER redrive_letter_added AFTER INSERT ON redrive_letter WHEN NEW.state = 'skipped' BEGIN
	UPDATE redrive_job SET skipped = skipped + 1 WHERE id = NEW.job;
END;
CREATE TRIGGER redrive_letter_changed AFTER UPDATE OF state ON redrive_letter WHEN NEW.state <> OLD.state BEGIN
	UPDATE redrive_job SET
		sent = sent + (NEW.state IN ('sent', 'handled', 'renewed')) - (OLD.state IN ('sent', 'handled', 'renewed')),
		skipped = skipped + (NEW.state = 'skipped') - (OLD.state = 'skipped'),
		handled = handled + (NEW.state = 'handled') - (OLD.state = 'handled'),
		renewed = renewed + (NEW.state = 'renewed') - (OLD.state = 'renewed')
	WHERE id = NEW.job;
END;

-- Names of outboxes, also of services that are away.
CREATE TABLE known_outbox (
	outbox  TEXT PRIMARY KEY,
	service TEXT NOT NULL
) WITHOUT ROWID;
