"""Words for the codes that contexts answer with; a code without a word is shown as it is, never hidden."""

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.access.api import Right, book
from wanjia.kernel.declared import Text

RIGHTS: dict[str, str | Promise] = {
    Right.ENTER: _("log in"),
    Right.FIND_PERSON: _("find a person"),
    Right.OPEN_PERSON: _("open a person's record"),
    Right.HANDLE_EVENTS: _("handle events of the register"),
    Right.BREAK_GLASS: _("open a record in an emergency"),
    Right.SEE_NOTICES: _("see notices"),
    Right.SEAL_PERSON: _("seal a person's record"),
    Right.GRANT_PERSON: _("grant access to a sealed person"),
    Right.SEE_OWN_RECORD: _("see the own record"),
    Right.SEE_RUNS: _("see runs"),
    Right.SEE_QUARANTINE: _("see the quarantine"),
    Right.SHOW_QUARANTINED_ROW: _("show a quarantined row as received"),
    Right.SEE_QUALITY: _("see data quality"),
    Right.SEE_LINKAGE: _("see the linkage"),
    Right.SEE_POPULATION: _("see population figures"),
    Right.SEE_TRACE: _("see the trace"),
    Right.SEE_ACCOUNTS: _("see accounts"),
    Right.MANAGE_ACCOUNTS: _("open and close accounts"),
    Right.MANAGE_LOCKS: _("lift the lock of an account"),
    Right.SEE_POLICIES: _("see policies"),
    Right.KEYS: _("keys"),
    Right.OVERSEE: _("oversee"),
    Right.OPEN_SEALS: _("open sealed reads early"),
    Right.ISSUE_DOCUMENT: _("issue documents"),
    Right.REVOKE_DOCUMENT: _("revoke documents"),
    Right.CONFIRM_REVOCATION: _("confirm revocations"),
    Right.ANSWER_ASKED: _("answer residents who ask why"),
    Right.DECIDE_CORRECTION: _("decide on corrections that residents ask for"),
    Right.FIND_USAGE: _("fetch for a resident who looked"),
    Right.CHANGE_DIVISIONS: _("change divisions"),
}

#: what the public and the counter call the states of documents
DOCUMENT_STATES: dict[str, str | Promise] = {
    "valid": _("valid"),
    "asked": _("revocation waits for confirmation"),
    "expired": _("expired"),
    "revoked": _("revoked"),
    "superseded": _("superseded by a reissued one"),
}

DIMENSIONS: dict[str, str | Promise] = {
    "conformity": _("Conformity"),
    "completeness": _("Completeness"),
    "accuracy": _("Accuracy"),
    "consistency": _("Consistency"),
    "timeliness": _("Timeliness"),
    "accessibility": _("Accessibility"),
}

RUN_STATES: dict[str, str | Promise] = {"open": _("running"), "done": _("done"), "failed": _("failed")}

BANDS: dict[str, str | Promise] = {"link": _("Linked"), "review": _("For review"), "none": _("Not linked")}


def grouped(number: int) -> str:
    """A whole number in groups of three: 1,234,567. In both languages alike: Django's own format for Chinese groups by nothing."""
    return f"{number:,}"


def word(words: dict[str, str | Promise], code: str) -> str:
    """The word for `code`, or the code itself."""
    return str(words.get(code, code))


#: departments that own elements
OWNERS: dict[str, str | Promise] = {
    "GA": _("Registration (public security)"),
    "WJ": _("Birth, death and health (health)"),
    "MZ": _("Marriage and assistance (civil affairs)"),
    "RS": _("Work and social insurance (human resources)"),
    "JY": _("Education"),
    "ZJ": _("Housing"),
    "YB": _("Medical insurance"),
    "CL": _("Disability (disabled persons' federation)"),
    "SW": _("Income (taxation)"),
    "TY": _("Service (veterans affairs)"),
}

RULES: dict[str, str | Promise] = {
    "precedence": _("declared precedence of sources"),
    "recency": _("reliability of the source and recency"),
    "vote": _("weighted vote of the sources"),
    "average": _("weighted average of the sources"),
    "event": _("a registered event"),
}

RESIDENCES: dict[str, str | Promise] = {"domicile": _("Registered at"), "residence": _("Living at")}
RELATIONS: dict[str, str | Promise] = {"spouse": _("Spouse"), "mother": _("Mother"), "father": _("Father")}

READ_KINDS: dict[str, str | Promise] = {
    "access.break_glass": _("opened the record in an emergency"),
    "access.break_glass_refused": _("asked for emergency access in vain"),
    "access.grant_person": _("granted access to the person"),
    "access.revoke_grant": _("ended a grant"),
    "access.open_client": _("opened a client"),
    "access.close_client": _("closed a client"),
    "access.keep_policies": _("put policies in force"),
    "register.seal_person": _("sealed the record"),
    "register.unseal_person": _("ended the sealing of the record"),
    "register.event_open": _("opened a case"),
    "register.event_save": _("kept the draft of a case"),
    "register.event_check": _("checked a form"),
    "register.event_submit": _("submitted a case"),
    "register.event_assign": _("assigned a case"),
    "register.event_read": _("read a case"),
    "register.event_steps": _("read the steps of a case"),
    "register.event_list": _("listed cases"),
    "register.event_review": _("took a case into review"),
    "register.event_return": _("returned a case"),
    "register.event_refuse": _("refused to register a case"),
    "register.event_withdraw": _("withdrew a case"),
    "register.event_register": _("registered an event"),
    "register.event_issue": _("issued a document"),
    "register.event_revoke": _("revoked an event"),
    "register.event_reinstate": _("reinstated an event"),
    "access.log_in": _("logged in"),
    "access.log_out": _("logged out"),
    "access.log_in_failed": _("failed to log in"),
    "access.lock_out": _("locked after failed log-ins"),
    "access.lift_lock": _("lifted a lock"),
    "access.end_sessions": _("signed out other devices"),
    "access.change_password": _("changed the own password"),
    "access.add_second_factor": _("added a second factor"),
    "access.remove_second_factor": _("removed a second factor"),
    "access.renew_second_factor": _("renewed a second factor"),
    "access.open_account": _("opened an account"),
    "access.close_account": _("closed an account"),
    "access.move_area": _("let an account serve what its area became"),
    "access.bind_resident": _("bound an account to the person"),
    "access.unbind_resident": _("ended an account's binding to the person"),
    "privacy.open_person": _("opened the record"),
    "privacy.show_number": _("showed the citizen number in full"),
    "register.as_of": _("read the register state"),
    "register.find_persons": _("listed in a search"),
    "register.household_as_of": _("listed as a household member on a day"),
    "register.area_as_of": _("listed in an area on a day"),
    "register.count_as_of": _("counted an area on a day"),
    "register.household_members": _("listed as a household member"),
    "documents.preview": _("previewed a document"),
    "documents.issue": _("issued a document"),
    "documents.reissue": _("reissued a document"),
    "documents.print": _("printed a document"),
    "documents.show": _("looked at a document's state"),
    "documents.of_person": _("listed the person's documents"),
    "documents.asked": _("asked to revoke a document"),
    "documents.refused": _("refused to revoke a document"),
    "documents.revoked": _("revoked a document"),
    "documents.erase": _("erased a document's content by law"),
    "keys.chain": _("certified a signing key"),
    "linkage.export": _("exported who is the same person"),
    "linkage.decide_pair": _("decided a pair of records"),
    "linkage.open_record": _("opened a record of a pair"),
    "linkage.erase": _("erased reasons of decisions by law"),
    "trace.receipt": _("made a receipt"),
    "trace.search": _("searched the trace for the person"),
    "trace.ask_opening": _("asked for a sealed read to be opened early"),
    "trace.open_seal": _("opened a sealed read about the person early"),
    "trace.open_due": _("noted sealed reads as open"),
    "trace.erase": _("erased entries by law"),
    "trace.reopen": _("went on with the log after a restore"),
    "trace.self_check": _("checked the whole log"),
    "trace.sample_check": _("checked places of the log at random"),
    "trace.check_asked": _("asked for a check of the whole log"),
    "trace.new_keys": _("announced new keys of the log"),
    "trace.announce_keys": _("had new keys of the log made"),
    "trace.take_up_keys": _("put new keys of the log in force"),
    "register.load": _("loaded the register"),
    "register.redirect_persons": _("redirected former person ids"),
    "register.digest": _("computed the digest of the register"),
    "register.count_population": _("counted the population"),
    "register.count_years": _("counted the population of past years"),
    "register.order_change": _("ordered a change of divisions"),
    "register.withdraw_change": _("withdrew a change of divisions"),
    "register.change_divisions": _("changed divisions"),
    "intake.open_quarantined": _("showed a quarantined row"),
    "intake.receive": _("received a delivery"),
    "intake.standardise": _("standardised a delivery"),
    "intake.refuse": _("refused a delivery"),
    "intake.withdraw": _("withdrew a delivery"),
    "intake.push": _("received pushed rows"),
    "intake.issue_token": _("issued a machine token"),
    "intake.revoke_token": _("revoked a machine token"),
    "oversight.timeline": _("looked at the record's time-line"),
    "oversight.own_person": _("noted which person a member of staff is"),
    "oversight.canary": _("noted a canary resident"),
    "oversight.raise_alerts": _("raised alerts"),
    "oversight.decide_alert": _("decided an alert"),
    "oversight.open_note": _("opened the note of an alert"),
    "oversight.incident_step": _("recorded a step of an incident"),
    "oversight.open_incident_file": _("opened the file of an incident"),
    "oversight.open_review": _("opened a permission review"),
    "oversight.answer_review": _("answered in a permission review"),
    "privacy.erase_person": _("erased the dossier"),
    "register.erase_person": _("erased the facts of the register"),
    "register.erase_events": _("erased what events say"),
    "intake.erase": _("erased records"),
    "intake.destroy_landing": _("destroyed a delivery's landed bytes"),
    "keys.rotate": _("rotated a key"),
    "keys.reencrypt": _("encrypted anew under the current keys"),
    "keys.destroy": _("destroyed an old key"),
    "keys.certificate": _("issued a certificate of erasure"),
    "services.open": _("asked or requested"),
    "services.answer": _("answered a request"),
    "services.appeal": _("appealed against an answer"),
    "services.decide": _("decided an appeal"),
    "services.carry_out": _("carried out a correction"),
    "services.open_case": _("opened a request"),
    "services.open_evidence": _("opened evidence of a request"),
    "services.find_usage": _("fetched who looked, for the person, at a portal"),
    "services.erase": _("erased what stands in requests"),
    "catalog.open_run": _("began a run"),
    "catalog.close_run": _("ended a run"),
    "catalog.score": _("scored the quality"),
    "catalog.file_findings": _("filed findings"),
    "catalog.decide_conflict": _("decided a conflict between sources"),
    "catalog.erase": _("erased reasons of decisions by law"),
}

#: whether an entry of the trace is about one person or about many at once
WORK: dict[str, str | Promise] = {"single": _("one person at a time"), "bulk": _("many persons at once")}

#: purposes that the house itself states and no file declares
OWN_PURPOSES: dict[str, str | Promise] = {"reply": _("Answer the person's own request")}

CASE_KINDS: dict[str, str | Promise] = {"ask": _("Question why somebody looked"), "correct": _("Correction")}

CASE_STATES: dict[str, str | Promise] = {
    "open": _("waits for the office"),
    "answered": _("answered"),
    "appealed": _("appealed, waits for the office"),
    "accepted": _("accepted, to be carried out"),
    "reopened": _("not registered, waits for the office"),
    "closed": _("closed"),
}

CASE_STEPS: dict[str, str | Promise] = {
    "open": _("Sent"),
    "answer": _("Answer"),
    "appeal": _("Appeal"),
    "decide": _("Decision on the appeal"),
    "carry_out": _("Carried out"),
    "undone": _("Not in the register"),
}

CASE_OUTCOMES: dict[str, str | Promise] = {
    "justified": _("The look was in order"),
    "unjustified": _("The look should not have been"),
    "accepted": _("The value will be corrected"),
    "refused": _("The value stays"),
}

LOG_ALARMS: dict[str, str | Promise] = {
    "shut": _("the gate is shut: nobody is read until the log is shown to go on"),
    "late": _("an entry waits for its checkpoint for more than a minute"),
    "no_witness": _("no witness is set: nobody outside would notice a rewritten log"),
    "unwitnessed": _("no witness has signed for more than a day"),
    "seal_late": _("a sealed read was not opened on its day"),
    "never_published": _("nothing was ever published"),
}

#: of data keys, and of the generations of keys that sign the log
KEY_STATES: dict[str, str | Promise] = {
    "current": _("in force"),
    "opening": _("opens older content only"),
    "destroyed": _("destroyed"),
    "former": _("former"),
    "announced": _("announced"),
}

STAGES: dict[str, str | Promise] = {
    "receive": _("Receive"),
    "standardise": _("Standardise and check"),
    "gather": _("Gather what counts"),
    "link": _("Link"),
    "load links": _("Load links"),
    "resolve": _("Resolve"),
    "seal and load": _("Seal and load"),
    "count population": _("Count the population"),
    "score quality": _("Score quality"),
}


def purpose_words(purpose: str) -> str:
    """A purpose as the trace keeps it (code, or code:case) in words; other texts as they are."""
    code, _colon, case = purpose.partition(":")
    declared = book().purposes.get(code)
    if declared is None:
        return purpose
    words = spoken(declared.name)
    return f"{words} · {case}" if case else words


def role_words(code: str) -> str:
    """A role by its declared name."""
    declared = book().roles.get(code)
    return spoken(declared.name) if declared else code


def spoken(text: Text) -> str:
    """A declared text in the user's language."""
    return text.en if get_language() == "en" else text.zh


ALERT_STATES: dict[str, str | Promise] = {"open": _("Open alert"), "explained": _("Explained"), "founded": _("Founded")}

SEVERITIES: dict[str, str | Promise] = {"low": _("low"), "high": _("high")}

INCIDENT_STEPS: dict[str, str | Promise] = {
    "open": _("What happened"),
    "contain": _("Contain"),
    "assess": _("Assess"),
    "notify": _("Notify"),
    "note": _("Note"),
    "close": _("Close"),
}

#: contents of a notice under PIPL art. 57
NOTICE_PARTS: dict[str, str | Promise] = {
    "kinds": _("Kinds of information leaked, altered or lost, or possibly so"),
    "cause": _("Cause"),
    "harm": _("Harm that may follow"),
    "remedies": _("Remedies taken"),
    "own_measures": _("What the persons can do to lessen the harm"),
    "contact": _("Contact"),
}

#: what officers found of conflicts between sources
DECIDED: dict[str, str | Promise] = {
    "stands": _("The register's value stands"),
    "correct": _("The register is to be corrected"),
    "returned": _("Sent back to the sources"),
}
