"""Every bound of the gateway, with its unit and its reason. What an operator may change is in
`settings.py`, with its default taken from here."""

from __future__ import annotations

# Money.
MONEY_MAX_CENTIMOS = 10**15  # ten trillion soles: far above any sum, far below bigint
AMOUNT_MAX_CENTIMOS = 99_999_999  # S/ 999,999.99 is the longest amount that screens are fitted for

# What a member may type.
PIN_DIGITS_MIN = 4  # ISO 9564 allows 4 to 12
PIN_DIGITS_MAX = 6  # what people remember
ANSWER_CHARS_MAX = 160  # no handset sends more on USSD (182 septets less the session's own)
HISTORY_CHARS_MAX = 40_000  # cumulative text of a session, a 10 kB answer in it included
SESSION_ID_CHARS_MAX = 128  # no provider is known to use more than 64
BODY_BYTES_MAX = 64 * 1024  # a webhook's body; the longest real one is under 1 kB
FORM_FIELDS_MAX = 50  # the widest known webhook (Twilio) has about 30
DEEP_DIAL_ANSWERS_MAX = 8  # the longest journey has five inputs

TEXT_CHARS_MAX = 1_600  # ten SMS in one (Twilio's bound); what a member means stands at its front
TYPOS_MAX = 1  # letters wrong, missing, doubled or swapped in a texted word: SLDO
WORD_TO_GUESS_CHARS_MIN = 4  # a shorter word is near too many others

# The webhooks' walls.
FORWARDED_ENTRIES_MAX = 16  # proxies that stand behind one another; a real chain has two or three
GUESSES_PER_MINUTE = 10  # wrong secrets from one address; an engineer at a terminal tries fewer
GUESSERS_MAX = 10_000  # addresses that are counted at once, 0.3 kB each
BODY_SEAT_WAIT_MS = 250  # for a burst of signed webhooks; a body takes a millisecond
# Above the 60 s that nginx keeps an idle connection to us: one that was cut just as a hop goes out
# on it would be that member's error. Waiting for headers takes a socket and no thread.
HEADERS_WITHIN_MS = 65_000
NETWORK_SHARE_OF_HOPS = 0.75  # a network that runs wild leaves a fourth to the others
HOPS_PER_SECOND = 10_000  # what a large deployment does; beyond it nobody new is let in

# Screens and messages (3GPP TS 23.038; TS 29.002 maxUSSD-StringLength: 160 octets, 182 septets).
SCREEN_SEPTETS = 160  # what every known gateway lets through
SCREEN_SEPTETS_HARD = 182
SMS_SEGMENT_SEPTETS = 160  # a single SMS; of a longer one each part holds 153
KEYS_SEPTETS_MAX = 40  # the foot of a screen, `9 Mas` in it: a quarter of it is enough
OPTIONS_PER_SCREEN = 5  # people lose the thread beyond five
OPTIONS_PER_LIST = 8  # 0, 00 and 9 are taken: the keys 1 to 8 remain
INPUTS_MAX = 6  # after dialling, the PIN included: beyond it a slow reader's session runs out
PAGES_PER_ANSWER = 5  # a longer text is no text for a phone
LONGEST_NAME_CHARS = 16  # what texts are fitted for: `Hermenegilda W.`; a longer one takes a page
LONGEST_FIRST_NAME_CHARS = LONGEST_NAME_CHARS - 3  # the short one is the first, and ` W.`
LONGEST_PRODUCT_CHARS = 16  # `Ahorro cosecha`; five of them and a question fill a screen
LONGEST_TEXT_CHARS = 20  # a result that an operation calls just text
LONGEST_REFERENCE_CHARS = 9  # six now, read aloud over a bad line; three more for later years
LONGEST_NUMBER_DIGITS = 4  # days late, instalments left
LONGEST_SHORT_CODE_CHARS = 12  # `*775*1234#`

# Sessions.
SESSION_IDLE_S = 60  # networks drop an idle session after 20 to 60 s
SESSION_TOTAL_S = 180  # the longest that a network keeps one (Africa's Talking: 180 s)
DRAFT_S = 600  # how long a redial finds what was typed
GO_ON_SMS_AFTER_S = 30  # whoever redials does it within this, and needs no message
GO_ON_SMS_QUIET_S = 3600  # one such message an hour and member: each costs, and a bad line repeats
GO_ON_SMS_SWEEP_S = 5  # the draft lives for minutes
CLAIM_LEASE_MS = 6_000  # above the hard stop of a reply: then its worker is dead
REPEAT_INFERRED_MS = 1_000  # the same body within this long of its reply is a repeat
OVERLAP_POLL_MS = 40  # how often a waiting copy looks for the first copy's reply
CALLER_HOPS_PER_MINUTE = 240  # against a program that runs wild; a person types 20 at the most

# Time. An aggregator gives 10 s (Africa's Talking), some operators 5 s.
REPLY_HARD_STOP_MS = 5_000
STORE_TIMEOUT_MS = 700  # PostgreSQL or Redis away: an apology within 2 s
CLUSTER_CONNECT_MS = 250  # a dead node is tried up to four times a hop, and a live one is near
STATEMENT_TIMEOUT_MS = 1_200  # PostgreSQL gives up itself, and nothing has happened
ANSWER_SLACK_MS = 300  # a server that has not even given up by then is frozen
SILENCE_MS = 1_000  # how long a frozen server is left alone: its callers fail at once
PREPARED_STATEMENTS_MAX = 200  # of a connection, a few kB each there; a process has under 100
CANCEL_MS = 2_000  # for the server to take note that nobody waits any more
PATIENT_STATEMENT_MS = 10 * 60_000  # recomputing every balance, for a person at a terminal
STANDBY_LOOK_S = 1  # two statements that cost nothing
STANDBY_TRUSTED_S = 2  # after a look that found it near; together no more than 3 s behind
RECONNECT_S = 2  # PostgreSQL away: how long one row of tries to connect goes on

# Hops in one web process. Beyond these a member is told at once to dial again.
HOPS_AT_ONCE = 8  # worked on; each needs a connection to PostgreSQL and the interpreter's lock
HOPS_WAITING_MAX = 48  # for a hand: at 500 hops a second the last one waits a tenth of a second
HAND_WAIT_MS = 1_000  # a hop takes milliseconds: those before have met a store that says nothing
DIALS_WAITING_MAX = 16  # a dial has nothing to lose yet; who is about to confirm has
THREADS_TO_REFUSE = 8  # that are left to say so when all others wait

# PIN attempts.
PIN_TRIES = 3
PIN_LOCK_S = 15 * 60
PIN_LOCKS_MAX = 2  # in a row: after the second one only staff open it again
PIN_CAREFUL_S = 24 * 3600  # after a new PIN less may be moved: whoever took it is found out
PIN_PENDING_S = 600  # from a DNI typed to a PIN entered twice: a few sessions
ROTATE_ROWS = 200  # sealed hashes a batch: it takes milliseconds, and holds no lock

# Activation codes.
CODE_DIGITS = 8  # 5 guesses of 100,000,000
CODE_TRIES = 5
CODE_HOURS_MAX = 14 * 24
DNI_DIGITS = 8
STAFF_KEYS_MAX = 200  # a cooperative has tens of branches and agents
STAFF_CONNECTIONS = 4  # of a web process for staff: tens of people, who read between two clicks
DEEDS_SHOWN = 8  # of a member, to staff
PIN_VERIFICATIONS_AT_ONCE = 2  # argon2id takes 19 MiB and a core each; more would only queue

# The console.
STAFF_IDLE_S = 15 * 60  # a desk that is left alone; long enough for a call with a member
STAFF_SESSION_S = 10 * 3600  # a working day
STAFF_LOGIN_TRIES = 5  # who has forgotten a password finds out within five
STAFF_ADDRESS_TRIES = 25  # a branch of five desks behind one address
STAFF_LOCK_S = 15 * 60  # 480 guesses a day, each of a password and a code
STAFF_PASSWORD_CHARS_MIN = 12  # beside a second factor; a short sentence
STAFF_PASSWORD_CHARS_MAX = 128  # more is no sentence, and argon2id would read it all
TOTP_STEP_S = 30  # RFC 6238
TOTP_STEPS_AROUND = 1  # a clock that is half a minute off
RECOVERY_CODES = 8  # years of lost phones
STAFF_TRACE_DAYS = 90  # of sessions and failed tries: the trail keeps the deeds themselves
CONSOLE_ROWS = 50  # a page of a table: more is not read, but searched
CONSOLE_FOUND_MAX = 20  # members of a name; whoever gets more types more of it
SCREENS_DAYS = 3  # of a member's screens: who complains calls within days; then they are figures
SCREENS_SESSIONS = 10  # a page of them
CONSOLE_DAYS_MAX = 31  # of a search among all members' orders
CONSOLE_SPAN_S = 60  # of the live figures: hops a second are those of the last minute
CONSOLE_SAMPLE_S = 5  # how often this process's figures are kept for it
SCAN_KEYS = 1_000  # of Redis at a time: a millisecond in which it serves nobody else
CONSOLE_REFRESH_S = 10  # a page that is looked at all day

# Money orders.
AGAIN_WINDOW_S = 10 * 60  # the same amount to the same payee within this long asks "¿Otra vez?"
NEW_PAYEE_S = 24 * 3600  # time to read the receipt, and to call, before more goes the same way
REMEMBERED_S = 10 * 60  # where Redis forgot, a dial tells the last order of this long
PAYEES_OFFERED = 4  # the last ones; with an own account still within five options
MOVEMENTS_SHOWN = 5
RECONCILE_EVERY_S = 10  # a member who was told "en proceso" waits for the SMS
EXPIRE_HOLDS_EVERY_S = 60  # a hold that ran out frees its funds within this
MARKED_LINES_A_PAGE = 500  # of one account; a member has a few a day
SWEEP_ROWS = 50  # orders or holds a sweep: it comes again soon

# The evening's comparison.
RECONCILE_DAYS_AROUND = 7  # as FINERACT_DAYS_BEHIND_MAX: further off no order is posted
RECONCILE_ACCOUNTS_A_PAGE = 2_000  # with their orders some 2 MB; a page looks through the days
RECONCILE_MEMBERS_A_PAGE = 200
RECONCILE_TOLD_EVERY_ACCOUNTS = 500  # at a remote core: a line every ten seconds or so
RECONCILE_FROM_HOUR = 1  # what was given before midnight has come to an end, or stays open
RECONCILE_DAYS_CAUGHT_UP = 14  # after a worker or a core that was away; more is for a person
RECONCILE_DUTY_EVERY_S = 600  # a core that was away is asked again so soon
RECONCILE_LOGGED_MAX = 50  # differences: a screenful, and the command has them all

# A core behind a network.
CORE_BUDGET_MS = 3_000  # a hop's wait for it, all questions together; with a SIM's 1.6 s below 5 s
CORE_READS_AT_ONCE = 8  # of a process, and as many orders: together FINERACT_CONNECTIONS
CORE_ORDERS_AT_ONCE = 8
CORE_WAITING_SHARE = 2  # of a web process's threads one in so many may wait for it: the rest serve
CORE_FAILURES_MAX = 5  # in a row, time-outs among them: then it is left alone
CORE_PROBE_S = 5  # how often a core that is left alone is asked whether it is well
CORE_FAREWELL_MS = 1_000  # an order's answer that comes so soon after SIGTERM is still settled
# The longest attempt at an order: then whoever asked is dead, and another may. With Fineract, each
# read 3 + 4 s and each command 3 + 15 s at the worst: 7 reads before it is sent (day, accounts,
# owners, payoff), up to 3 keys with a command and 2 reads each, one of them twice: 49 + 96 + 32.
CORE_LEASE_S = 180
ORDER_AGAIN_FIRST_S = 5  # after an attempt without an end; then twice as long each time
ORDER_AGAIN_MAX_S = 300  # a core that is back has every order within minutes
ORDER_EXPIRES_S = 30 * 60  # never attempted by then, it is no longer what the member wants
ORDER_PARKED_AFTER = 12  # answers that say nothing, half an hour with the waits: then staff look
KNOWN_AGAIN_S = 60  # a balance that did not change is written down this often at the most
KNOWN_DAYS = 90  # what was last known of a member's accounts, and nobody has asked for since

# A SIM that was changed, a number that went to somebody else.
SIM_CHANGED_HOURS = 72  # how long a change is recent: thieves use a stolen number within a day
SIM_HOURS_MAX = 2_400  # what CAMARA SIM Swap lets one ask
SIM_ANSWER_S = (
    6 * 3600
)  # how long an operator's answer is good: each costs, and a thief is no faster
SIM_UNKNOWN_S = 3600  # care for who nobody could tell of: the operator may be back by then
SIM_BUDGET_MS = 1_600  # all requests of a question; with the core's 3 s below the reply's hard stop
SIM_FAILURES_MAX = 3  # in a row: then nobody waits for the operator
SIM_SHUT_S = 60  # then one member's order tries whether it is well again
SIM_TOKEN_S = 300  # of a token that does not say how long it lives
SIM_TOKEN_EARLY_S = 15  # before its end a token is not used any more: clocks differ
NUMBER_CAREFUL_S = 24 * 3600  # a new number has the lower limits for a day

# Claims.
CLAIM_WITHIN_S = 7 * 24 * 3600  # whoever sent to the wrong person knows within days
CLAIMABLE_OFFERED = 4  # the last ones: people remember no more, and the fifth key stays free
CLAIM_HOLD_S = 5 * 24 * 3600  # staff have called both sides by then; a hold is no sentence

# News from the core, and its campaigns.
CORE_NEWS_ROWS = 20  # a sweep; each is up to three questions to the core, a second in all
CORE_NEWS_EVERY_S = 2  # a member still stands at the counter
CORE_NEWS_LEASE_S = 120  # above the slowest row of a sweep's worth: then its worker is dead
CORE_NEWS_LOOKS_MAX = 4  # for what is not there: a hook may come before its own commit
CORE_NEWS_FIRST_WAIT_S = 5  # then four times as long each time: 5 s, 20 s, 80 s
CORE_NEWS_WAIT_MAX_S = 900  # a core that is away is asked again so soon
CORE_NEWS_PATIENCE_S = 24 * 3600  # it was away for a day: a person should know
CORE_NEWS_OLD_DAYS = 3  # an SMS about what was done longer ago only puzzles
CORE_NEWS_KEPT_DAYS = 30  # far above the three: what comes again later is old, and told to nobody
CORE_NEWS_WAITING_MAX = 20_000  # a day of a cooperative's counters; more is a flood
CORE_MESSAGES_AT_ONCE = 1_000  # Fineract sends 200
CORE_MESSAGE_BYTES_MAX = 2_000  # of one text; four segments are 612
CORE_MESSAGES_BODY_BYTES_MAX = 1024 * 1024  # 200 messages of the longest kind take 0.5 MB
CORE_MESSAGE_SEGMENTS_MAX = 4  # each is paid for; a longer text is a letter
CORE_MESSAGE_OF_USE_S = 3 * 24 * 3600  # a campaign that comes later is about nothing any more
CORE_MESSAGE_REPORT_S = 24 * 3600  # networks report within it, or never

# Notices.
TEXTS_PER_HOUR = 20  # answers to one phone: more is a machine, and each costs
TEXT_REPEATED_S = 3 * 24 * 3600  # providers bring a message again for 12 hours at the most
ANSWER_OF_USE_S = 600  # an answer to a text that comes later only puzzles
FORGET_EVERY_S = 600
REMIND_DAYS = (3, 0, -1, -7)  # before an instalment is due, on the day, and late
REMIND_AT_HOUR = 9  # people are awake, and the agency opens
TIMETABLE_EVERY_S = 5  # how late a wake-up at a time may be
REMIND_SWEEP_S = 60  # the wake-up of 9 o'clock may be lost
BORROWERS_A_PAGE = 200
OUTBOX_LEASE_S = 60  # above the slowest sender's time-out: then its worker is dead
OUTBOX_ATTEMPTS_MAX = 8
OUTBOX_BACKOFF_FIRST_S = 10  # a provider that only hiccuped
OUTBOX_BACKOFF_GROWTH = 3  # 10 s, 30 s, … 40 min: seven waits, an outage of one to two hours
OUTBOX_BACKOFF_MAX_S = 3600  # later a receipt only frightens
SEND_TIMEOUT_S = 10  # a provider that has not answered by then is tried again
REASON_CHARS_MAX = 200  # why an SMS was not sent, as kept; a provider's error page is longer
# A provider takes half a second: 16 carry 32 a second, which is 1,000 a minute, the tenth of them
# that is tried again, and three quarters more to catch up after a pause.
SENDERS_AT_ONCE = 16
WAKE_TIMEOUT_MS = 250  # a member waits for it, and the sweep does without it
SWEEP_EVERY_S = 2
FAILED_JOB_S = 24 * 3600  # rq keeps a failed job for a year unless told otherwise
WAKE_JOB_TIMEOUT_S = 5  # the job only rings a bell
WAKE_PAUSE_S = 2  # Redis away: a caller waits for it once in this long, the sweep does the rest
LISTENER_TTL_S = 17  # rq blocks on the queue for 15 s less than this: see LISTEN_S
LISTEN_S = LISTENER_TTL_S - 15  # a signal on the brink of a blocking read is seen only after it
DUTY_PAUSE_MAX_S = 5  # a duty that fails is tried this often at the least: it heals within it
SIMULATED_INBOX_MAX = 500  # messages of one phone in the demo

# Menus.
BOOK_FILES_MAX = 200  # a menu or a journey each, and a catalogue a language
BOOK_CHARS_MAX = 1_000_000  # every process reads all of it at once; the shipped one has 30,000
RELOAD_EVERY_S = 2  # who has published picks up a phone to look
BOOKS_KEPT = 8  # a session lasts minutes, and nobody publishes that often in them
PUBLICATIONS_SHOWN = 20  # a page of a terminal

# Ways out: a provider, its pace and its breaker.
# In a row. A provider that is away fails as many at a stroke, since SENDERS_AT_ONCE ask it; one
# that fails one time in ten never does by chance, and would be shut for nothing.
LINE_FAILURES_MAX = 10
LINE_SHUT_S = 30  # then one message tries whether it is well again
PACE_WAIT_S = 1  # for its turn a message keeps a sender waiting this long, or comes back later
NOTICE_PATIENCE_S = 24 * 3600  # nobody took it for a day: a person should know
EARLY_REPORT_S = 24 * 3600  # a report of what we do not know (yet); a mark comes within minutes
FORGET_ROWS = 500  # a duty comes again soon, and holds no lock for long
DEAD_LETTERS_SHOWN = 50  # a screenful or two of a terminal
REQUEUE_ROWS = 500  # at once: a statement has a second
COST_MONTHS_SHOWN = 12

# SMPP.
SMS_PARTS_MAX = 20  # of a message that comes in: 3,000 letters, far above any order by SMS
SMS_PARTS_TTL_S = 600  # how long the rest is waited for; nobody waits longer for an answer
SMS_PARTS_WAITING_MAX = 5_000  # messages that are not whole; one takes 3 kB at the most
SMPP_LINES_MAX = 20  # a country has four operators
SMPP_WINDOW_MAX = 1_000  # operators give 1 to 100
SMPP_PER_SECOND_MAX = 1_000  # requests; operators give 5 to 100
SMPP_INBOUND_MAX = 500  # messages of one bind that are being worked on: beyond it it must wait
SMPP_UNREAD_OCTETS_MAX = 1024 * 1024  # written to a peer that does not read: it is given up
SMPP_HOPS_WAITING_MAX = 64  # for a thread: with 16 of them and 20 ms a hop, less than 0.1 s
SMPP_SMS_WAITING_MAX = 500  # messages and receipts, for a thread: nobody holds a phone meanwhile
SMPP_SMS_THREADS = 4  # a message is put into PostgreSQL in milliseconds
SMPP_DIALOGUES_MAX = 100_000  # of a line, 1 kB each: 500 a second for SESSION_TOTAL_S
SMPP_SCREEN_WITHIN_S = 8  # after its key was pressed: no network is known to wait above 10 s
SMPP_SCREENS_WAITING_MAX = 5_000  # of a line, for the bank or the network: 8 s of 500 a second
SMPP_PARTS_HOLD_S = 2  # a part is answered when the whole is safe; a window of 1 needs it sooner
SMPP_COPY_S = 600  # how long a message that may come again is recognised
SMPP_COPIES_MAX = 10_000  # messages that may come again; 17 a second for that long
SMPP_SMS_WITHIN_S = SEND_TIMEOUT_S - 1  # all parts of a message: the drain's sender waits for it
SMPP_THROTTLED_FIRST_S = 1  # SMS leave a network alone that says so
SMPP_THROTTLED_MAX_S = 30

# Evidence and people's data.
SEAL_EVERY_S = 300  # what may be altered unseen is what was written since: minutes
SEAL_XACTS_MAX = 50_000  # transactions a seal: some 50 MB of lines in memory, two seconds
HEAD_TOLD_EVERY_S = 24 * 3600  # a line a day in the log, which is kept elsewhere
AUDIT_FINDINGS_MAX = 1_000  # shown; who altered more than this is found by the first of them
PIN_ATTEMPT_DAYS = 180  # who guesses comes again within months; a complaint about it too
CODE_DAYS = 30  # after an activation code ran out: whoever complains has come by then
CALL_DAYS = 180  # after a member was called back
SIM_ANSWER_DAYS = 7  # the longest that an answer is asked for is hours
ORIGIN_DAYS = 90  # of a dispute: from which phone and session an order came
GIVEN_UP_DAYS = 365  # what could not be sent: staff may still requeue it
SUBMISSION_DAYS = 400  # a provider's yearly bill is checked against them
SIMULATED_DAYS = 30  # a demo's inboxes
BOOKS_YEARS = (
    10  # what books and evidence are kept for: the Codigo de Comercio's and the SBS's term
)
RETAIN_EVERY_S = 3600  # days are meant; an hour more harms nobody
RETAIN_ROWS = 500  # a statement: it holds no lock for long
RETAIN_STEPS_MAX = 2_000  # a run: an hour of old orders each, so that months are caught up in one
# Fineract.
FINERACT_CONNECT_S = 3  # a server in the same country answers in milliseconds
FINERACT_READ_S = 4  # a member looks at a screen meanwhile
FINERACT_WRITE_S = 15  # it tries a contended command again itself, with waits of 1 and 2 s
FINERACT_CONNECTIONS = 16  # as many as ask at once: the hops and the duties of a process
FINERACT_TOKEN_SLACK_S = 30  # a token is renewed so long before it ends
FINERACT_ATTEMPTS_MAX = 3  # keys of one order, each after the one before is dead for certain
FINERACT_KEYS_TRUSTED_DAYS = 7  # its memory of keys may be set to less than the usual 30
FINERACT_DAY_KEPT_S = 60  # its business date changes once a day, at an hour of its own
FINERACT_CLIENTS_KEPT = 10_000  # who and at which office: 1 kB each, and it hardly changes
FINERACT_CLIENT_KEPT_S = 600
FINERACT_PAGE_ROWS = 200  # of an account's transactions; the server's own default is 50
FINERACT_PAGES_MAX = 50  # ten thousand transactions since an order's day: then staff look
# How far a core's day may be behind an order's. An order is searched from so long before its day,
# and one that would be posted on a day before that is not posted at all: it would not be found.
FINERACT_DAYS_BEHIND_MAX = 7

# Events and the programme's figures.
EVENTS_FLUSH_EVERY_S = 0.2  # what a kill may lose; a second's, all at once, would hold hops up
EVENTS_A_BATCH = 1_000  # 0.3 kB each: PostgreSQL keeps them within a tenth of a second
EVENTS_WAITING_MAX = 50_000  # of a process, 0.5 kB each: a minute of a full house, an hour of one
EVENT_DAYS = 400  # a year, and the month before it to compare with; what was summed stays
ROLL_UP_EVERY_S = 60  # a day of 100,000 events is summed in a second or two
ACTIVITY_DAYS = 400  # who moved money on which day: the widest figure looks back 90
SMALL_GROUP_MEMBERS = 5  # fewer of a district are not shown: their neighbours would know them
