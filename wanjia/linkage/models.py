"""Tables of linking. They hold no names and no numbers: only ids, levels and probabilities."""

from django.db import models


class Link(models.Model):
    """One assertion belongs to one person, with what this rests on."""

    class Band(models.TextChoices):
        LINK = "link", "linked / 已关联"
        REVIEW = "review", "waiting for an officer / 待核实"

    class Method(models.TextChoices):
        NUMBER = "number", "by sound number / 有效号码"
        MODEL = "model", "by likeness / 模型比对"
        ALONE = "alone", "only record / 唯一记录"
        OFFICER = "officer", "by an officer / 登记员认定"

    assertion_id = models.BigIntegerField(primary_key=True)
    person_id = models.BigIntegerField(db_index=True)
    probability = models.FloatField()
    band = models.CharField(max_length=8, choices=Band.choices)
    method = models.CharField(max_length=8, choices=Method.choices)
    evidence = models.BigIntegerField(null=True)  # packed levels, four bits a feature; see `api.explain`
    weight = models.FloatField(null=True)  # log2 of the odds before competition
    model = models.CharField(max_length=16)


class ReviewCase(models.Model):
    """Two records that may be one person, and nobody but an officer can tell."""

    class Status(models.TextChoices):
        OPEN = "open", "open / 待办"
        CONFIRMED = "confirmed", "one person / 同一人"
        REFUSED = "refused", "two persons / 非同一人"
        ASIDE = "aside", "put aside: nobody can tell / 暂缓，无法判定"

    class Reason(models.TextChoices):
        UNCERTAIN = "uncertain", "the evidence is not enough / 证据不足"
        SHARED_NUMBER = "shared_number", "one number, two persons / 一号多人"
        TWO_NUMBERS = "two_numbers", "one person, two numbers? / 一人多号"
        TWO_BASELINE = "two_baseline_records", "two records in a source that holds nobody twice / 基准来源重复"
        CONTRADICTION = "contradiction", "facts contradict / 要素矛盾"
        UNLIKE = "unlike_cluster", "like one record of a person, unlike the others / 与部分记录不符"

    assertion_l = models.BigIntegerField()
    assertion_r = models.BigIntegerField()
    person_l = models.BigIntegerField(db_index=True)
    person_r = models.BigIntegerField(db_index=True)
    probability = models.FloatField()
    reason = models.CharField(max_length=24, choices=Reason.choices)
    evidence = models.BigIntegerField(null=True)
    model = models.CharField(max_length=16)
    # of what the comparison says: `link` if it would be linked, were nothing against it; empty where nothing was compared
    band = models.CharField(max_length=8, choices=Link.Band.choices, blank=True, default="", db_default="")
    record_l = models.BigIntegerField(
        default=0, db_default=0
    )  # what the records are known by in decisions, whatever delivery states them
    record_r = models.BigIntegerField(default=0, db_default=0)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPEN)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assertion_l", "assertion_r"], name="linkage_one_case_a_pair"),
            models.CheckConstraint(
                condition=models.Q(assertion_l__lt=models.F("assertion_r")), name="linkage_case_in_order"
            ),
        ]
        indexes = [models.Index(fields=["status", "-probability"], name="linkage_queue")]


class Decision(models.Model):
    """What an officer found of two records: append-only (a trigger lets only the reason be sealed anew or emptied). The last about a pair counts.

    `is_merge`: an event of the register makes the two one (ADR 0010), linkage does not.
    """

    class Verdict(models.TextChoices):
        SAME = "same", "one person / 同一人"
        DIFFERENT = "different", "two persons / 非同一人"
        ASIDE = "aside", "cannot tell / 无法判定"

    id = models.BigAutoField(primary_key=True)
    record_l = models.BigIntegerField()
    record_r = models.BigIntegerField()
    person_l = models.BigIntegerField(db_index=True)
    person_r = models.BigIntegerField(db_index=True)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    is_merge = models.BooleanField(default=False)
    batch = models.UUIDField(null=True, db_index=True)  # decided together with others, and undone together
    by = models.CharField(max_length=120)
    at = models.DateTimeField()
    probability = models.FloatField()  # what the officer was shown
    evidence = models.BigIntegerField(null=True)
    reason = models.BinaryField(default=bytes)  # sealed, bound to the id

    class Meta:
        indexes = [models.Index(fields=["record_l", "record_r", "-id"], name="linkage_decided_of_pair")]


class LinkRun(models.Model):
    """One run of linking: its figures, and which links the tables hold."""

    ran_at = models.DateTimeField()
    model = models.CharField(max_length=16)
    was_trained = models.BooleanField()
    links_digest = models.CharField(max_length=64)
    figures = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["-ran_at"], name="linkage_latest_run")]
