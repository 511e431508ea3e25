-- All that the process of staff's pages and API may call, beside its own schemas. What is not named
-- here it cannot do: no PIN's hash, no order, no posting, no table. Each function writes what it does
-- into the trail, under the name that it is given: who has taken over this process can act as anybody
-- of staff, but not in silence.
-- depends: console-0001-reading  signin-0003-administering  bank-0010-people  bank-0013-reversals  instructions-0006-rules  notices-0009-forgetting

grant usage on schema bank, instructions, notices to chaski_staff;

grant execute on function
    -- To find a member, and to show what others see of them.
    bank.member_by_msisdn, bank.member_by_ref, bank.short_names,
    -- The office's (gateway/bank/office.py).
    bank.had_pin, bank.issue_code, bank.ask_staff, bank.reset_asked, bank.approve_reset,
    bank.decide_staff_request, bank.unlock_pin, bank.freeze_by_staff, bank.lift_freeze,
    bank.access_of, bank.register_by_staff, bank.move_number, bank.release_number, bank.give_number,
    -- Claims, calls, and what is given back.
    bank.claim_to_hold, bank.note_hold, bank.note_release, bank.resolve_claim, bank.call_done, bank.ask_reversal,
    bank.approve_reversal, bank.note_reversal,
    -- Cautions and limits.
    instructions.trust_again, instructions.limits_waiting, instructions.approve_limit,
    -- Messages: what was given up. Another chance is given by console.requeue, which writes it down.
    notices.dead_letters, notices.story
to chaski_staff;
